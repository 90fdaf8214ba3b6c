"""kubectl's own view of Jobs, CronJobs and autoscalers: create, get, describe, wait, delete, autoscale."""

from __future__ import annotations

from skerry.kube.objects import name_of
from skerry.kube.resources import CRON_JOBS, HORIZONTAL_POD_AUTOSCALERS, JOBS, PODS
from tests.component.controllers.test_kubectl_rollout import kubectl
from tests.support.controllers import running_controllers


async def test_jobs() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 0
        await kubectl(world, "create", "job", "once", "--image=app:1", "--", "true")
        await kubectl(world, "wait", "--for=condition=complete", "job/once", "--timeout=60s")
        row = (await kubectl(world, "get", "job", "once", "--no-headers")).split()
        assert row[:3] == ["once", "Complete", "1/1"]
        described = await kubectl(world, "describe", "job", "once")
        assert "1 Succeeded" in described
        assert "Completed" in described
        await kubectl(world, "delete", "job", "once")
        await world.until(lambda: not world.list(PODS))


async def test_cron_jobs() -> None:
    async with running_controllers() as world:
        await kubectl(world, "create", "cronjob", "tick", "--image=app:1", "--schedule=0 3 * * *")
        await kubectl(world, "create", "job", "now", "--from=cronjob/tick")
        await world.until(lambda: world.get(JOBS, "now"))
        (owner,) = (world.get(JOBS, "now") or {})["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("CronJob", "tick")
        row = await kubectl(world, "get", "cronjob", "tick", "--no-headers")
        assert row.split()[:6] == ["tick", "0", "3", "*", "*", "*"]
        assert "Schedule:" in await kubectl(world, "describe", "cronjob", "tick")
        await kubectl(world, "delete", "cronjob", "tick")
        await world.until(lambda: world.get(CRON_JOBS, "tick") is None and not world.list(JOBS))


async def test_autoscale() -> None:
    async with running_controllers() as world:
        await kubectl(world, "create", "deployment", "web", "--image=app:1")
        await kubectl(world, "autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu=80%")
        await world.until(lambda: world.get(HORIZONTAL_POD_AUTOSCALERS, "web"))
        await world.until(lambda: len(world.list(PODS)) == 2)
        assert "Deployment/web" in await kubectl(world, "get", "hpa", "web")
        assert "AbleToScale" in await kubectl(world, "describe", "hpa", "web")
        assert {name_of(pod)[:4] for pod in world.list(PODS)} == {"web-"}
        await kubectl(world, "get", "horizontalpodautoscalers.v1.autoscaling", "web")
