"""kubectl's own view of Jobs, CronJobs and autoscalers: create, get, describe, wait, delete, autoscale."""

from __future__ import annotations

from skerry.kube.objects import name_of
from skerry.kube.resources import CRON_JOBS, HORIZONTAL_POD_AUTOSCALERS, JOBS, PODS
from tests.support.controllers import running_controllers
from tests.support.waiting import WITHIN


async def test_jobs() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 0
        await world.kubectl("create", "job", "once", "--image=app:1", "--", "true")
        await world.kubectl("wait", "--for=condition=complete", "job/once", WITHIN)
        row = (await world.kubectl("get", "job", "once", "--no-headers")).split()
        assert row[:3] == ["once", "Complete", "1/1"]
        described = await world.kubectl("describe", "job", "once")
        assert "1 Succeeded" in described
        assert "Completed" in described
        await world.kubectl("delete", "job", "once")
        await world.until(lambda: not world.list(PODS))


async def test_cron_jobs() -> None:
    async with running_controllers() as world:
        await world.kubectl("create", "cronjob", "tick", "--image=app:1", "--schedule=0 3 * * *")
        await world.kubectl("create", "job", "now", "--from=cronjob/tick")
        await world.until(lambda: world.get(JOBS, "now"))
        (owner,) = (world.get(JOBS, "now") or {})["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("CronJob", "tick")
        row = await world.kubectl("get", "cronjob", "tick", "--no-headers")
        assert row.split()[:6] == ["tick", "0", "3", "*", "*", "*"]
        assert "Schedule:" in await world.kubectl("describe", "cronjob", "tick")
        await world.kubectl("delete", "cronjob", "tick")
        await world.until(lambda: world.get(CRON_JOBS, "tick") is None and not world.list(JOBS))


async def test_autoscale() -> None:
    async with running_controllers() as world:
        await world.kubectl("create", "deployment", "web", "--image=app:1")
        await world.kubectl("autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu=80%")
        await world.until(lambda: world.get(HORIZONTAL_POD_AUTOSCALERS, "web"))
        await world.until(lambda: len(world.list(PODS)) == 2)
        assert "Deployment/web" in await world.kubectl("get", "hpa", "web")
        assert "AbleToScale" in await world.kubectl("describe", "hpa", "web")
        assert {name_of(pod)[:4] for pod in world.list(PODS)} == {"web-"}
        await world.kubectl("get", "horizontalpodautoscalers.v1.autoscaling", "web")
