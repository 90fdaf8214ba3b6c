"""A private instance for component tests: supervisor, CNI and pods, in a directory of its own."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.network.cni import write_cni
from skerry.engine.node.containerd import images, sweep
from skerry.engine.node.containerd.supervisor import ContainerdSupervisor
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient
from skerry.kube.objects import Obj
from tests.support.images import BUSYBOX, busybox_archive
from tests.support.machine import forwarding_given_back

FOREVER = ("sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done")


def make_config(base: Path, third_octet: int = 0) -> EngineConfig:
    """An instance below `base` whose pods have addresses in 10.251.x.0/24."""
    paths = Paths(data=base / "data", run=base / "run")
    paths.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    return EngineConfig(
        instance=secrets.token_hex(2),
        paths=paths,
        node_name="test",
        bind="127.0.0.1",
        port=0,
        pod_cidr=f"10.251.{third_octet}.0/24",
        service_cidr=f"10.252.{third_octet}.0/24",
    )


def _labels(name: str, uid: str) -> dict[str, str]:
    prefix = "io.kubernetes.pod."
    return {prefix + "name": name, prefix + "namespace": "default", prefix + "uid": uid}


@dataclass
class Pod:
    """A sandbox with one container, named "main"."""

    sandbox: str
    container: str
    config: pb.PodSandboxConfig
    log: Path

    @property
    def obj(self) -> Obj:
        """The pod as the API would show it."""
        metadata = self.config.metadata
        return {"metadata": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid}, "spec": {}}


@dataclass
class Instance:
    """What a test works with."""

    config: EngineConfig
    supervisor: ContainerdSupervisor
    cri: CriClient
    pods: list[Pod] = field(default_factory=list)

    async def run_pod(
        self,
        name: str = "",
        command: Sequence[str] = FOREVER,
        *,
        host_network: bool = False,
        stdin: bool = False,
        tty: bool = False,
        image: str = BUSYBOX,
    ) -> Pod:
        """Start a pod and its container."""
        name = name or f"pod-{len(self.pods)}-{secrets.token_hex(2)}"
        uid = secrets.token_hex(8)
        sandbox_config = self._sandbox_config(name, uid, host_network)
        sandbox = await self.cri.run_pod_sandbox(sandbox_config)
        container_config = pb.ContainerConfig(
            metadata=pb.ContainerMetadata(name="main", attempt=0),
            image=pb.ImageSpec(image=image),
            command=command,
            log_path="main/0.log",
            stdin=stdin,
            stdin_once=stdin,
            tty=tty,
            labels={**_labels(name, uid), "io.kubernetes.container.name": "main"},
            linux=pb.LinuxContainerConfig(
                resources=pb.LinuxContainerResources(cpu_shares=128, memory_limit_in_bytes=64 << 20)
            ),
        )
        container = await self.cri.create_container(sandbox, container_config, sandbox_config)
        (Path(sandbox_config.log_directory) / "main").mkdir(parents=True, exist_ok=True)
        await self.cri.start_container(container)
        pod = Pod(sandbox, container, sandbox_config, Path(sandbox_config.log_directory) / "main/0.log")
        self.pods.append(pod)
        return pod

    def _sandbox_config(self, name: str, uid: str, host_network: bool) -> pb.PodSandboxConfig:
        logs = self.config.paths.pod_logs / name
        (logs / "main").mkdir(parents=True, exist_ok=True)
        network = pb.NODE if host_network else pb.POD
        return pb.PodSandboxConfig(
            metadata=pb.PodSandboxMetadata(name=name, uid=uid, namespace="default"),
            hostname="" if host_network else name,
            log_directory=str(logs),
            labels={"app": "test", **_labels(name, uid)},
            linux=pb.LinuxPodSandboxConfig(
                cgroup_parent=f"{self.config.cgroup}/pod{uid}",
                security_context=pb.LinuxSandboxSecurityContext(
                    namespace_options=pb.NamespaceOption(network=network, pid=pb.CONTAINER)
                ),
            ),
        )


@asynccontextmanager
async def running_instance(base: Path, third_octet: int = 0) -> AsyncIterator[Instance]:
    """A started instance with a busybox image; everything is swept away afterwards."""
    config = make_config(base, third_octet)
    write_cni(config)
    supervisor = ContainerdSupervisor(config)
    cri = CriClient(config.paths.containerd_socket)
    with forwarding_given_back():
        try:
            await supervisor.start()
            await asyncio.to_thread(images.ensure_pause_image, config.paths)
            images.load(config.paths.containerd_socket, busybox_archive(base))
            yield Instance(config, supervisor, cri)
        finally:
            await cri.close()
            await supervisor.detach()
            left = await asyncio.to_thread(sweep.sweep, config)
    assert left == []


@asynccontextmanager
async def temporary_instance(third_octet: int = 0) -> AsyncIterator[Instance]:
    """The same in a short temporary directory (a unix socket's path is limited)."""
    base = Path(tempfile.mkdtemp(prefix="skr-"))
    try:
        async with running_instance(base, third_octet) as instance:
            yield instance
    finally:
        shutil.rmtree(base)
