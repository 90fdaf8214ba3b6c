"""kubectl's own view: rollout status, history, undo, pause, resume, restart, scale against the real controllers."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from skerry.kube.resources import DEPLOYMENTS, PODS
from tests.component.controllers.deployments import deployment, images, is_rolled_out, set_image
from tests.support.controllers import World, running_controllers
from tests.support.program import program_path


async def kubectl(world: World, *arguments: str) -> str:
    """Run it; its output. Fails the test when it fails."""
    process = await asyncio.create_subprocess_exec(
        program_path("kubectl"),
        f"--kubeconfig={world.api.kubeconfig}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"HOME": str(Path(world.api.kubeconfig).parent), "PATH": os.environ["PATH"]},
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_status_history_undo() -> None:
    async with running_controllers() as world:
        await world.client.create(DEPLOYMENTS, deployment(), "default")
        assert "successfully rolled out" in await kubectl(world, "rollout", "status", "deployment/web")
        await kubectl(world, "annotate", "deployment/web", "kubernetes.io/change-cause=second")
        await world.client.patch(DEPLOYMENTS, "web", set_image("app:2"), "default", kind="strategic")
        await kubectl(world, "rollout", "status", "deployment/web")
        history = await kubectl(world, "rollout", "history", "deployment/web")
        assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "2"]
        assert "app:1" in await kubectl(world, "rollout", "history", "deployment/web", "--revision=1")
        await kubectl(world, "rollout", "undo", "deployment/web")
        await kubectl(world, "rollout", "status", "deployment/web")
        await world.until(lambda: is_rolled_out(world, 3) and images(world) == {"app:1"})
        history = await kubectl(world, "rollout", "history", "deployment/web")
        assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["2", "3"]
        await kubectl(world, "rollout", "undo", "deployment/web", "--to-revision=2")
        await world.until(lambda: is_rolled_out(world, 3) and images(world) == {"app:2"})


async def test_pause_resume_restart_scale() -> None:
    async with running_controllers() as world:
        await world.client.create(DEPLOYMENTS, deployment(), "default")
        await kubectl(world, "rollout", "status", "deployment/web")
        await kubectl(world, "rollout", "pause", "deployment/web")
        await kubectl(world, "set", "image", "deployment/web", "app=app:2")
        await world.settle()
        assert images(world) == {"app:1"}
        await kubectl(world, "rollout", "resume", "deployment/web")
        await world.until(lambda: is_rolled_out(world, 3) and images(world) == {"app:2"})
        before = {pod["metadata"]["uid"] for pod in world.list(PODS)}
        await kubectl(world, "rollout", "restart", "deployment/web")
        await kubectl(world, "rollout", "status", "deployment/web")
        await world.until(lambda: is_rolled_out(world, 3))
        assert not before & {pod["metadata"]["uid"] for pod in world.list(PODS)}
        await kubectl(world, "scale", "deployment/web", "--replicas=5")
        await world.until(lambda: is_rolled_out(world, 5))
        described = await kubectl(world, "describe", "deployment/web")
        assert "5 desired | 5 updated | 5 total | 5 available | 0 unavailable" in described
        assert "ScalingReplicaSet" in described
