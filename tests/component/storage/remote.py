"""A driver of a server elsewhere, spoken to as provisioning and mounting do, without an engine around it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from skerry.engine import mounts
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.storage.contract import Publishing, Staging, Use, Volume, VolumeRequest
from skerry.engine.storage.drivers.all import built_in
from skerry.engine.storage.drivers.remote.driver import ServerDriver
from skerry.engine.storage.drivers.remote.workplace import Workplace
from tests.support.storage_servers import Server

READ_WRITE = Use(("ReadWriteMany",))
READING = Use(("ReadOnlyMany",))


@dataclass
class Site:
    """One driver, one server, one machine."""

    driver: ServerDriver
    config: EngineConfig
    server: Server
    staged: list[Path] = field(default_factory=list)

    async def volume(self, claim: str, use: Use = READ_WRITE, **more: str) -> Volume:
        """Of a claim in namespace "lab", with more class parameters."""
        parameters = {**self.server.parameters, **more}
        request = VolumeRequest(
            f"pvc-{claim}", 1 << 30, use, parameters=parameters, secrets=self.server.secrets, claim=("lab", claim)
        )
        return await self.driver.create(request)

    def staging(self, volume: Volume, use: Use = READ_WRITE, secrets: Mapping[str, str] | None = None) -> Staging:
        """At the volume's own place."""
        path = self.config.paths.data / "storage" / "staged" / f"{abs(hash(volume.handle))}"
        if path not in self.staged:
            path.mkdir(parents=True)
            self.staged.append(path)
        return Staging(volume.handle, path, use, volume.context, self.server.secrets if secrets is None else secrets)

    async def show(
        self, volume: Volume, pod: str, use: Use = READ_WRITE, *, read_only: bool = False, staged: bool = False
    ) -> Path:
        """Stage a volume, unless it is `staged`, and publish it to a pod; where the pod has it."""
        staging = self.staging(volume, use)
        if not staged:
            await self.driver.stage(staging)
        target = self.config.paths.pods / pod / "mount"
        target.parent.mkdir(parents=True, exist_ok=True)
        await self.driver.publish(
            Publishing(volume.handle, staging.path, target, use, read_only, volume.context, self.server.secrets)
        )
        return target

    async def hide(self, volume: Volume, *targets: Path) -> None:
        """The reverse, for all pods."""
        for target in targets:
            await self.driver.unpublish(volume.handle, target)
        await self.driver.unstage(volume.handle, self.staging(volume).path)

    def pids(self, volume: Volume) -> set[int]:
        """Processes that mount the volume."""
        return Workplace(self.config, self.staging(volume).path).cgroup.members()

    def runs_without_rights_or(self, secret: str, pids: set[int]) -> None:
        """Programs have no capabilities, a user of their own, and the secret where nobody else can read it."""
        assert pids
        for pid in pids:
            said = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
            assert secret.encode() not in said
            status = Path(f"/proc/{pid}/status").read_text()
            assert "CapEff:\t0000000000000000" in status
            assert "Uid:\t65400" in status

    async def reads_a_dataset(self) -> None:
        """A directory that is there: two claims of it at once, each read only, and it stays."""
        (self.server.files / "genomes").mkdir()
        (self.server.files / "genomes" / "one").write_text("ACGT")
        made = (self.volume(name, READING, dataset="true", subDir="genomes") for name in ("genomes", "more"))
        volume, other = await asyncio.gather(*made)
        assert volume.handle != other.handle
        pod = await self.show(volume, "one", READING)
        assert (pod / "one").read_text() == "ACGT"
        with pytest.raises(OSError, match="Read-only"):
            (pod / "two").touch()
        await self.hide(volume, pod)
        for one in (volume, other):
            await self.driver.delete(one.handle, self.server.secrets)
        assert (self.server.files / "genomes" / "one").exists()

    def next_engine(self) -> ServerDriver:
        """The driver of an engine that begins anew on the same machine."""
        driver = built_in(self.config)[self.driver.name]
        assert isinstance(driver, ServerDriver)
        return driver


@contextlib.asynccontextmanager
async def site(directory: Path, driver: str, server: Server) -> AsyncIterator[Site]:
    """Nothing of it is left afterwards, and a test that was good leaves nothing by itself."""
    instance = uuid.uuid4().hex[:4]
    config = EngineConfig(
        instance=instance, paths=Paths(directory / "data", directory / "run"), node_name="here", bind="", port=0,
        pod_cidr="10.96.0.0/16", service_cidr="10.112.0.0/16",
    )  # fmt: skip
    made = built_in(config)[driver]
    assert isinstance(made, ServerDriver)
    there = Site(made, config, server)
    before = _unreaped()
    try:
        yield there
        assert mounts.at_or_below(directory) == []
        assert not list((directory / "run" / "storage").glob("*"))
        assert _unreaped() - before == set(), "zombies"
    finally:
        for path in there.staged:
            await made.unstage("", path)
        await made.close()
        for point in mounts.at_or_below(directory):
            mounts.unmount(point)


def _unreaped() -> set[tuple[str, str]]:
    """Children of ours that have ended, by process and name; other tests may have left some."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    words = [_stat(pid).replace(")", " ").split() for pid in children]
    return {(word[0], word[1]) for word in words if word and word[2] == "Z"}


def _stat(pid: str) -> str:
    """What the kernel says of a process; "" when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
