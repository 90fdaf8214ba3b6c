"""kubectl's own view: rollout status, history, undo, pause, resume, restart, scale against the real controllers."""

from __future__ import annotations

from skerry.kube.resources import DEPLOYMENTS, PODS
from tests.component.controllers.deployments import deployment, images, is_rolled_out, set_image
from tests.support.controllers import running_controllers


async def test_status_history_undo() -> None:
    async with running_controllers() as world:
        await world.client.create(DEPLOYMENTS, deployment(), "default")
        assert "successfully rolled out" in await world.kubectl("rollout", "status", "deployment/web")
        await world.kubectl("annotate", "deployment/web", "kubernetes.io/change-cause=second")
        await world.client.patch(DEPLOYMENTS, "web", set_image("app:2"), "default", kind="strategic")
        await world.kubectl("rollout", "status", "deployment/web")
        history = await world.kubectl("rollout", "history", "deployment/web")
        assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "2"]
        assert "app:1" in await world.kubectl("rollout", "history", "deployment/web", "--revision=1")
        await world.kubectl("rollout", "undo", "deployment/web")
        await world.kubectl("rollout", "status", "deployment/web")
        await world.until(lambda: is_rolled_out(world, 3) and images(world) == {"app:1"})
        history = await world.kubectl("rollout", "history", "deployment/web")
        assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
        await world.kubectl("rollout", "undo", "deployment/web", "--to-revision=2")
        await world.until(lambda: is_rolled_out(world, 3) and images(world) == {"app:2"})


async def test_pause_resume_restart_scale() -> None:
    async with running_controllers() as world:
        await world.client.create(DEPLOYMENTS, deployment(), "default")
        await world.kubectl("rollout", "status", "deployment/web")
        await world.kubectl("rollout", "pause", "deployment/web")
        await world.kubectl("set", "image", "deployment/web", "app=app:2")
        await world.settle()
        assert images(world) == {"app:1"}
        await world.kubectl("rollout", "resume", "deployment/web")
        await world.until(lambda: is_rolled_out(world, 3) and images(world) == {"app:2"})
        before = {pod["metadata"]["uid"] for pod in world.list(PODS)}
        await world.kubectl("rollout", "restart", "deployment/web")
        await world.kubectl("rollout", "status", "deployment/web")
        await world.until(lambda: is_rolled_out(world, 3))
        assert not before & {pod["metadata"]["uid"] for pod in world.list(PODS)}
        await world.kubectl("scale", "deployment/web", "--replicas=5")
        await world.until(lambda: is_rolled_out(world, 5))
        described = await world.kubectl("describe", "deployment/web")
        assert "5 desired | 5 updated | 5 total | 5 available | 0 unavailable" in described
        assert "ScalingReplicaSet" in described
