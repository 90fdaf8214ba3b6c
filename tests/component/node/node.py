"""A node agent on a private containerd and an in-process API: what its component tests work with."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skerry.engine.api.local import LocalClient
from skerry.engine.config import EngineConfig
from skerry.engine.node.agent import NodeAgent, Runtime
from skerry.engine.node.containerd.client import ContainerdClient
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.machine import Pressure, read_pressure
from skerry.engine.node.pod_network import PodNetwork, UnguardedNetwork
from skerry.engine.program.pod_volumes import PodVolumes
from skerry.engine.storage.mounting.pods import PodMounts
from skerry.engine.storage.registry import Drivers
from skerry.kube.events import Recorder
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import EVENTS, NODES, PODS
from tests.component.runtime.instance import Instance, running_instance
from tests.support.api import running_api
from tests.support.images import BUSYBOX
from tests.support.waiting import LIMIT, until

SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"]


@dataclass
class Node:
    """One machine: containerd, API, and an agent that can be started anew."""

    config: EngineConfig
    instance: Instance
    client: LocalClient
    agent: NodeAgent
    informers: Informers
    recorder: Recorder
    containerd: ContainerdClient
    network: PodNetwork = field(default_factory=UnguardedNetwork)
    drivers: Drivers = field(default_factory=Drivers)
    mounts: PodMounts = field(init=False)
    volumes: PodVolumes = field(init=False)
    pressure: Pressure | None = None
    """What the agent is told the machine has left, instead of the truth."""

    async def start(self) -> None:
        self.informers = Informers(self.client)
        self.recorder = Recorder(self.client, self.config.clock, "kubelet", self.config.node_name)
        self.containerd = ContainerdClient(self.config.paths.containerd_socket)
        self.mounts = PodMounts(self.config, self.client, self.informers, self.recorder, self.drivers)
        self.volumes = PodVolumes(self.config.paths.data / "storage", lambda: self.mounts)
        runtime = Runtime(
            self.instance.cri,
            self.containerd,
            self._read_pressure,
            network=self.network,
            storage=self.volumes,
        )
        self.agent = NodeAgent(self.config, self.client, self.informers, self.recorder, runtime)
        await self.informers.start()
        await self.volumes.start()
        await self.agent.start()

    def _read_pressure(self, data: Path) -> Pressure:
        return self.pressure or read_pressure(data)

    async def stop(self) -> None:
        await self.agent.close()
        await self.volumes.close()
        await self.containerd.close()
        await self.informers.close()
        await self.recorder.close()

    async def create(self, pod: Obj) -> Obj:
        return await self.client.create(PODS, pod, "default")

    async def get(self, name: str) -> Obj:
        return await self.client.get(PODS, name, "default")

    async def delete(self, name: str, grace: int | None = None) -> None:
        await self.client.delete(PODS, name, "default", {} if grace is None else {"gracePeriodSeconds": grace})

    async def until(self, name: str, holds: Callable[[Obj], Any]) -> Obj:
        """The pod in the first state of which `holds` is true, from now on; no state is missed."""
        found: asyncio.Future[Obj] = asyncio.get_running_loop().create_future()
        informer = self.informers.of(PODS)

        def look(delta: Delta) -> None:
            if delta.new is None or delta.new["metadata"]["name"] != name or found.done():
                return
            with contextlib.suppress(LookupError, StopIteration):  # what it looks at is not there yet
                if holds(delta.new):
                    found.set_result(delta.new)

        informer.add_handler(look)
        try:
            return await asyncio.wait_for(found, LIMIT)
        except TimeoutError:
            raise AssertionError(f"not within {LIMIT} s: {informer.get(name, 'default')}") from None
        finally:
            informer.remove_handler(look)

    async def until_node(self, holds: Callable[[Obj], object]) -> None:
        """Wait until the node's own object is as wanted: the agent tells of what it has measured a moment later."""

        async def told() -> bool:
            return bool(holds(await self.client.get(NODES, "test")))

        await until(told, "the node's status")

    async def until_gone(self, name: str) -> None:
        await until(lambda: self.informers.of(PODS).get(name, "default") is None, f"the end of {name}")

    async def until_looked_at(self, name: str) -> None:
        """Wait until the agent has come to the pod once more: it reports the generation it has acted on."""
        last = (await self.get(name))["spec"].get("activeDeadlineSeconds", 1_000_000)
        patch = {"spec": {"activeDeadlineSeconds": last - 1}}
        generation = (await self.client.patch(PODS, name, patch, "default"))["metadata"]["generation"]
        await self.until(name, lambda pod: pod["status"].get("observedGeneration") == generation)

    async def until_nothing_runs(self, labels: dict[str, str] | None = None) -> None:
        """Wait until no sandbox with these labels is left."""

        async def none() -> bool:
            return not await self.instance.cri.list_pod_sandboxes(labels)

        await until(none, "the end of the sandboxes")

    async def events(self, name: str) -> list[tuple[str, str]]:
        """(reason, message) of what happened to a pod: all that the agent has recorded by now."""
        await self.recorder.close()
        listed = await self.client.list(EVENTS, "default")
        return [
            (event["reason"], event["message"]) for event in listed.items if event["involvedObject"]["name"] == name
        ]

    async def until_told(self, name: str, reason: str, message: str = "") -> None:
        """Wait for an event of the pod whose message contains `message`."""

        async def told() -> bool:
            return any(reason == one and message in words for one, words in await self.events(name))

        await until(told, f"{reason} {message}")

    async def crash(self, of: Obj, signal: str = "USR1") -> None:
        """Signal the container's first process until it has ended: it may not have set its trap yet."""
        async with asyncio.timeout(LIMIT):
            while True:
                status = await self.instance.cri.container_status(container_id(of))
                if status.status.state == pb.CONTAINER_EXITED:
                    return
                with contextlib.suppress(CriError):
                    await self.instance.cri.exec_sync(container_id(of), ["kill", f"-{signal}", "1"], 5)
                await asyncio.sleep(0.05)

    async def exec(self, name: str, *command: str, container: str = "main") -> str:
        pod = await self.get(name)
        result = await self.instance.cri.exec_sync(container_id(pod, container), command, int(LIMIT))
        assert result.exit_code == 0, (result.stderr, result.stdout)
        return result.stdout.decode()


def container_id(pod: Obj, name: str = "main") -> str:
    return status_of(pod, name)["containerID"].removeprefix("containerd://")


def status_of(pod: Obj, name: str = "main") -> Obj:
    statuses = pod["status"].get("containerStatuses", []) + pod["status"].get("initContainerStatuses", [])
    found: Obj = next(status for status in statuses if status["name"] == name)
    return found


def phase(wanted: str) -> Callable[[Obj], bool]:
    return lambda pod: pod.get("status", {}).get("phase") == wanted


def ready(pod: Obj) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def restarted(times: int, name: str = "main") -> Callable[[Obj], bool]:
    def holds(pod: Obj) -> bool:
        statuses = pod.get("status", {}).get("containerStatuses") or []
        return any(status["name"] == name and status["restartCount"] >= times for status in statuses)

    return holds


def waiting(reason: str, name: str = "main") -> Callable[[Obj], bool]:
    def holds(pod: Obj) -> bool:
        if not pod.get("status", {}).get("containerStatuses"):
            return False
        return status_of(pod, name)["state"].get("waiting", {}).get("reason") == reason

    return holds


def pod(name: str, *containers: Obj, **spec: Any) -> Obj:
    """A pod bound to the node; one sleeping container when none is given."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": "test", "containers": list(containers) or [container()], **spec},
    }


def container(command: list[str] | None = None, name: str = "main", **more: Any) -> Obj:
    return {"name": name, "image": BUSYBOX, "command": command or SLEEP, **more}


@asynccontextmanager
async def running_node(third_octet: int) -> AsyncIterator[Node]:
    """Mounts the agent makes must reach containerd in its own mount namespace: the directory is a shared mount."""
    base = Path(tempfile.mkdtemp(prefix="skn-"))
    subprocess.run(["mount", "--bind", base, base], check=True)
    subprocess.run(["mount", "--make-shared", base], check=True)
    try:
        async with running_instance(base, third_octet) as instance, running_api() as api:
            node = Node(instance.config, instance, api.client, None, None, None, None)  # type: ignore[arg-type]
            await node.start()
            try:
                await api.client.get(NODES, "test")
                yield node
            finally:
                for leftover in (await api.client.list(PODS)).items:
                    await node.delete(leftover["metadata"]["name"], 0)
                for leftover in (await api.client.list(PODS)).items:
                    await node.until_gone(leftover["metadata"]["name"])
                await node.until_nothing_runs()
                await node.stop()
    finally:
        subprocess.run(["umount", "-l", base], check=True)
        shutil.rmtree(base)
