"""containerd killed, adopted, two instances side by side, and what a sweep leaves: nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from skerry.engine import mounts
from skerry.engine.config import EngineConfig
from skerry.engine.mounts import current_mounts, parse_mountinfo
from skerry.engine.network.cni import write_cni
from skerry.engine.node.access.pod_access import NodePodAccess
from skerry.engine.node.containerd import (
    cgroups,
    cni_results,
    config_file,
    images,
    mount_namespace,
    processes,
    sweep,
)
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.mount_namespace import second_hierarchy
from skerry.engine.node.containerd.supervisor import ContainerdSupervisor
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient
from skerry.kube.pod_streams import StreamOptions
from tests.component.runtime.instance import Instance, make_config, temporary_instance
from tests.support.images import busybox_archive
from tests.support.machine import forwarding_given_back
from tests.support.waiting import until

pytestmark = pytest.mark.root


def traces(config: EngineConfig) -> list[str]:
    """Everything of an instance that can be seen outside its data directory."""
    paths = config.paths
    found = [str(mount.point) for mount in mounts.current_mounts() if mount.point.is_relative_to(paths.data.parent)]
    found += [str(directory) for directory in cgroups.directories(config.cgroup)]
    for process in processes.running():
        if any(str(paths.data.parent) in argument for argument in process.arguments) and process.pid != os.getpid():
            found.append(f"{process.pid} {' '.join(process.arguments)}")
    return found


async def container_process(instance: Instance, container: str) -> int:
    status = await instance.cri.container_status(container, verbose=True)
    return int(json.loads(status.info["info"])["pid"])


async def test_killed_containerd_comes_back_with_its_pods(instance: Instance) -> None:
    """A new containerd within the same mount namespace knows the pod, its start time and process, and can exec."""
    pod = await instance.run_pod()
    before = (await instance.cri.container_status(pod.container)).status
    process = await container_process(instance, pod.container)
    old = instance.supervisor.pid
    os.kill(old, signal.SIGKILL)
    await until(lambda: instance.supervisor.pid not in (0, old) and not instance.supervisor.trouble)
    after = (await instance.cri.container_status(pod.container)).status
    assert (after.state, after.started_at) == (pb.CONTAINER_RUNNING, before.started_at)
    assert await container_process(instance, pod.container) == process
    new_namespace = os.readlink(f"/proc/{instance.supervisor.pid}/ns/mnt")
    assert new_namespace != os.readlink("/proc/self/ns/mnt")
    assert new_namespace == (instance.config.paths.run / "namespace.id").read_text()
    access = NodePodAccess(instance.config)
    session = await access.exec(pod.obj, "main", ["echo", "alive"], StreamOptions())
    assert [data async for data in session.output()] == [(1, b"alive\n")]
    await session.close()
    await access.close()


async def test_engine_restart_adopts(instance: Instance) -> None:
    """A supervisor that lets go leaves containerd running; the next one takes over that same process."""
    pod = await instance.run_pod()
    pid = instance.supervisor.pid
    await instance.supervisor.detach()
    health: list[tuple[bool, str]] = []
    second = ContainerdSupervisor(instance.config, lambda healthy, reason: health.append((healthy, reason)))
    await second.start()
    assert second.pid == pid
    assert health == [(True, "")]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: len(health) > 2 and second.trouble == "")
    assert [healthy for healthy, _ in health] == [True, False, True]
    assert (await instance.cri.container_status(pod.container)).status.state == pb.CONTAINER_RUNNING
    await second.detach()


async def test_a_containerd_that_is_slow_to_answer_is_adopted(instance: Instance) -> None:
    """It is not ended because a busy machine did not let it run for some seconds."""
    pid = instance.supervisor.pid
    await instance.supervisor.detach()
    os.kill(pid, signal.SIGSTOP)
    asyncio.get_running_loop().call_later(3, os.kill, pid, signal.SIGCONT)  # the time is what is tested
    second = ContainerdSupervisor(instance.config)
    await second.start()
    assert second.pid == pid
    await second.detach()


async def test_two_instances_side_by_side(instance: Instance) -> None:
    """Each sees its own pods only; stopping one leaves the other's pod running."""
    async with temporary_instance(third_octet=2) as other:
        mine, theirs = await instance.run_pod(), await other.run_pod()
        assert [one.id for one in await instance.cri.list_containers()] == [mine.container]
        assert [one.id for one in await other.cri.list_containers()] == [theirs.container]
        gone = other.config
    assert traces(gone) == []
    assert (await instance.cri.container_status(mine.container)).status.state == pb.CONTAINER_RUNNING


@pytest.mark.skipif(not second_hierarchy(current_mounts()), reason="cgroup v1 and v2 are not both mounted")
async def test_what_the_runtime_takes_for_cgroups_goes_with_the_instance(instance: Instance) -> None:
    """On the machine's own file system, below what is mounted there, it would stay for ever."""
    await instance.run_pod()
    mounted = parse_mountinfo(Path(f"/proc/{instance.supervisor.pid}/mountinfo").read_text())
    for point in second_hierarchy(current_mounts()):
        assert [mount.fstype for mount in mounted if mount.point == point] == ["tmpfs"]


@asynccontextmanager
async def left_running() -> AsyncIterator[EngineConfig]:
    """An instance with two pods whose engine is gone; removed in any case."""
    base = Path(tempfile.mkdtemp(prefix="skr-"))
    config = make_config(base, third_octet=3)
    write_cni(config)
    supervisor, cri = ContainerdSupervisor(config), CriClient(config.paths.containerd_socket)
    with forwarding_given_back():
        try:
            await supervisor.start()
            await asyncio.to_thread(images.ensure_pause_image, config.paths)
            images.load(config.paths.containerd_socket, busybox_archive(base))
            instance = Instance(config, supervisor, cri)
            await instance.run_pod()
            await instance.run_pod(host_network=True)
            await cri.close()
            await supervisor.detach()
            yield config
        finally:
            sweep.sweep(config)
            shutil.rmtree(base)


@pytest.mark.parametrize("killed", ["nothing", "containerd", "containerd and shims"])
async def test_sweep_leaves_nothing(killed: str) -> None:
    """As a program of its own, whatever was killed before; a second time it finds nothing to do."""
    async with left_running() as config:
        paths = config.paths
        assert traces(config) != []
        if "containerd" in killed:
            processes.kill_and_wait(processes.containerds(config_file.config_path(paths)))
        if "shims" in killed:
            processes.kill_and_wait(processes.shims(paths.containerd_socket))
        arguments = ["--data", str(paths.data), "--run", str(paths.run), "--instance", config.instance]
        for _ in range(2):
            command = [sys.executable, "-m", "skerry.engine.node.containerd.sweep", *arguments]
            swept = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
            assert (swept.returncode, swept.stdout, swept.stderr) == (0, "", "")
            assert traces(config) == []
        assert not (paths.run / "state").exists()
        assert list(cni_results.DIRECTORY.glob(f"skerry-{config.instance}-*")) == []
        assert (paths.containerd / "root").is_dir()  # images stay


async def test_lost_namespace_is_not_mixed_with_a_new_one() -> None:
    """Somebody unmounted the namespace's file: what runs in the old one is ended, containerd starts in the new one."""
    async with left_running() as config:
        (old,) = processes.containerds(config_file.config_path(config.paths))
        mount_namespace.release(config.paths)
        supervisor = ContainerdSupervisor(config)
        await supervisor.start()
        try:
            assert supervisor.pid != old
            assert mount_namespace.holds(config.paths, supervisor.pid)
            assert cgroups.members(config.cgroup) == set()
        finally:
            await supervisor.detach()


async def test_restart_after_sweep_keeps_images() -> None:
    """`down` and `up`: images are there, the old pods are not running."""
    async with left_running() as config:
        sweep.sweep(config)
        write_cni(config)
        supervisor, cri = ContainerdSupervisor(config), CriClient(config.paths.containerd_socket)
        try:
            await supervisor.start()
            names = {name for image in await cri.list_images() for name in image.repo_tags}
            assert "docker.io/library/busybox:test" in names
            assert all(one.state == pb.CONTAINER_EXITED for one in await cri.list_containers())
            assert all(one.state == pb.SANDBOX_NOTREADY for one in await cri.list_pod_sandboxes())
            for sandbox in await cri.list_pod_sandboxes():
                await cri.remove_pod_sandbox(sandbox.id)
            assert (await Instance(config, supervisor, cri).run_pod()).container
        finally:
            await cri.close()
            await supervisor.detach()


async def test_start_failure_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """containerd's own last words are in the error, and nothing is left behind."""
    config = make_config(tmp_path)
    monkeypatch.setattr(config_file, "_DISABLED", ("io.containerd.grpc.v1.cri",))
    supervisor = ContainerdSupervisor(config)
    try:
        with pytest.raises(ContainerdError, match=r"ended while starting: .*io\.containerd\.grpc\.v1\.cri"):
            await supervisor.start()
    finally:
        mount_namespace.release(config.paths)
    assert traces(config) == []
