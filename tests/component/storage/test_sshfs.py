"""Claims on an SSH server: Debian's sshd, and sshfs, which mounts it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.engine import mounts
from skerry.engine.storage.contract import Staging, StorageError, Use
from skerry.engine.storage.drivers.remote.workplace import Workplace
from tests.component.storage.remote import READING, Site, site
from tests.support.storage_servers import ssh_server
from tests.support.waiting import until

pytestmark = pytest.mark.root


@pytest.fixture
async def ssh(tmp_path: Path) -> AsyncIterator[Site]:
    with ssh_server(tmp_path / "server") as server:
        async with site(tmp_path / "machine", "sshfs.storage.skerry.dev", server) as there:
            yield there


async def test_a_claim_lives_from_its_directory_to_its_end(ssh: Site) -> None:
    volume = await ssh.volume("notes", subDir="${pvc.metadata.namespace}/${pvc.metadata.name}")
    assert volume == await ssh.volume("notes", subDir="${pvc.metadata.namespace}/${pvc.metadata.name}")
    where = ssh.server.files / "lab" / "notes"
    assert where.stat().st_mode & 0o777 == 0o700
    one, two = await ssh.show(volume, "one"), await ssh.show(volume, "two", read_only=True)
    (one / "page").write_text("a line")
    assert (where / "page").read_text() == "a line" == (two / "page").read_text()
    with pytest.raises(OSError, match="Read-only"):
        (two / "page").write_text("another")
    usage = await ssh.driver.stats(volume.handle, one)
    assert usage.capacity
    _runs_apart(ssh, ssh.pids(volume))
    await ssh.hide(volume, one, two)
    assert not ssh.pids(volume)
    outside = ssh.server.files.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (where / "link").symlink_to(outside)
    await ssh.driver.delete(volume.handle, ssh.server.secrets)
    await ssh.driver.delete(volume.handle, ssh.server.secrets)
    assert not where.exists()
    assert (outside / "kept").exists()


def _runs_apart(ssh: Site, pids: set[int]) -> None:
    ssh.runs_without_rights_or(ssh.server.secrets["ssh-privatekey"].splitlines()[1], pids)
    for pid in pids:
        assert not os.path.exists(f"/proc/{pid}/root/root/.ssh")
        points = [line.split()[4] for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
        assert not [point for point in points if point.startswith(str(ssh.config.paths.data))]


async def test_it_outlives_the_engine_and_is_mounted_anew_when_it_dies(ssh: Site) -> None:
    volume = await ssh.volume("notes")
    pod = await ssh.show(volume, "one")
    (pod / "page").write_text("a line")
    await ssh.driver.close()
    ssh.driver, before = ssh.next_engine(), ssh.pids(volume)
    told: list[str] = []
    ssh.driver.on_trouble(lambda handle, text: told.append(f"{handle} {text}"))
    assert (await ssh.show(volume, "one") / "page").read_text() == "a line"
    assert ssh.pids(volume) == before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: told, "a report")
    assert told[0].startswith(volume.handle)
    with pytest.raises(OSError, match="not connected"):
        (pod / "page").read_text()
    new = await ssh.show(volume, "two")
    assert (new / "page").read_text() == "a line"
    await ssh.hide(volume, pod, new)


async def test_what_a_killed_engine_was_making_is_taken_back(ssh: Site) -> None:
    left = ssh.config.paths.data / "storage" / "remote" / ssh.driver.name / "claim"
    volume = await ssh.volume("notes")
    left.mkdir(parents=True)
    staging = ssh.staging(volume)
    await ssh.driver.stage(Staging(volume.handle, left, staging.use, volume.context, staging.secrets))
    await ssh.driver.close()
    ssh.driver = ssh.next_engine()
    await ssh.volume("more")
    assert not left.exists()
    assert not Workplace(ssh.config, left).cgroup.members()


async def test_a_server_that_falls_silent_costs_an_error_and_no_more(ssh: Site) -> None:
    volume = await ssh.volume("notes")
    impatient = Use(("ReadWriteMany",), mount_options=("ServerAliveInterval=3", "ConnectTimeout=5"))
    staging = ssh.staging(volume, impatient)
    await ssh.driver.stage(staging)
    (staging.path / "page").write_text("a line")
    ssh.server.stop()
    with pytest.raises(OSError):
        await asyncio.to_thread((staging.path / "other").read_text)
    for pid in ssh.pids(volume):
        os.kill(pid, signal.SIGSTOP)
    await asyncio.wait_for(ssh.driver.unstage(volume.handle, staging.path), 60)
    assert not ssh.pids(volume)
    with pytest.raises(StorageError) as error:
        await asyncio.wait_for(ssh.volume("more", impatient), 60)
    assert error.value.code == "UNAVAILABLE"
    ssh.server.go_on()


async def test_a_full_server_gives_an_error_and_goes_on(ssh: Site) -> None:
    mounts.mount_tmpfs(ssh.server.files, "size=1m")
    try:
        volume = await ssh.volume("notes")
        pod = await ssh.show(volume, "one")
        with pytest.raises(OSError), (pod / "large").open("wb") as file:
            file.write(bytes(2 << 20))
            os.fsync(file.fileno())
        (pod / "large").unlink()
        (pod / "small").write_text("a line")
        assert (ssh.server.files / "pvc-notes" / "small").read_text() == "a line"
        await ssh.hide(volume, pod)
    finally:
        mounts.unmount(ssh.server.files)


async def test_a_claim_that_only_reads_has_a_directory(ssh: Site) -> None:
    volume = await ssh.volume("incoming", READING)
    (ssh.server.files / "pvc-incoming" / "page").write_text("a line")
    pod = await ssh.show(volume, "one", READING)
    assert (pod / "page").read_text() == "a line"
    with pytest.raises(OSError, match="Read-only"):
        (pod / "two").touch()
    await ssh.hide(volume, pod)


async def test_what_is_wrong_is_said(ssh: Site) -> None:
    volume = await ssh.volume("notes")
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHAVuYCMYvhDPPVQMuFFEYVZqEvdRCtPjHWnmAYl3pZ1"
    host = f"[127.0.0.1]:{ssh.server.port}"
    for change, code, part in (
        ({"known_hosts": f"{host} {other}"}, "FAILED_PRECONDITION", "host key"),
        ({"known_hosts": f"elsewhere {other}"}, "FAILED_PRECONDITION", "host key"),
        ({"known_hosts": ""}, "UNAUTHENTICATED", "known_hosts"),
        ({"ssh-privatekey": "nonsense"}, "UNAUTHENTICATED", "private key"),
        ({"ssh-privatekey": (ssh.server.files.parent / "host").read_text()}, "UNAUTHENTICATED", "accept the key"),
    ):
        with pytest.raises(StorageError) as error:
            await ssh.driver.stage(ssh.staging(volume, secrets={**ssh.server.secrets, **change}))
        assert (error.value.code, part in error.value.message) == (code, True), error.value.message
    with pytest.raises(StorageError) as gone:
        await ssh.volume("more", path="/nowhere/at/all")
    assert gone.value.code == "NOT_FOUND"


async def test_a_dataset_is_read_and_stays(ssh: Site) -> None:
    await ssh.reads_a_dataset()
