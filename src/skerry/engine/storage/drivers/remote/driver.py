"""What the drivers of servers elsewhere have in common: a directory per claim, mounted by a program, shown to pods.

A protocol's own file says which parameters there are (`fields`), how its program is started (`program`), and what its
complaints mean (`complaints`). Directories are made and deleted through a mount for just that. Sizes are not enforced:
the server's own quota is what there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, TypeVar

from skerry.engine.config import EngineConfig
from skerry.engine.storage.contract import (
    PATIENCE,
    Ability,
    Driver,
    Expansion,
    Publishing,
    Report,
    Staging,
    StorageError,
    Usage,
    Use,
    Volume,
    VolumeRequest,
)
from skerry.engine.storage.drivers import publishing as binding
from skerry.engine.storage.drivers.remote import directories, options
from skerry.engine.storage.drivers.remote.daemon import Daemon, Program, Unmounted
from skerry.engine.storage.drivers.remote.kernel_mount import KernelMount
from skerry.engine.storage.drivers.remote.places import Place, new_place, place_in, place_of, refused
from skerry.engine.storage.drivers.remote.workplace import Workplace
from skerry.kube.records import record
from skerry.kube.tasks import end
from skerry.kube.threads import in_own_thread

log = logging.getLogger(__name__)

T = TypeVar("T")
_DELETING = 3600.0
"""Seconds: it takes as long as there are files."""


@record
class Mounting:
    """What is to be mounted how. `whole`: not the volume's directory but what it is in."""

    place: Place
    secrets: Mapping[str, str]
    use: Use
    whole: bool = False

    @property
    def directory(self) -> str:
        """Relative to what the class names."""
        return "" if self.whole else self.place.directory

    @property
    def read_only(self) -> bool:
        """Whether nothing may be written. What `whole` is mounted for is making or deleting the volume's directory."""
        asked = options.is_read_only(self.use.mount_options, self.use.access_modes)
        return self.place.dataset or (asked and not self.whole)


class ServerDriver(Driver, ABC):
    """A driver whose volumes are directories on a server."""

    abilities = frozenset({Ability.PROVISION, Ability.EXPAND, Ability.STAGE, Ability.STATS})
    server: ClassVar[str] = "the server"
    complaints: ClassVar[Sequence[tuple[str, str, str]]] = ()
    """What is in the words of a program that could not mount, the code of the error it means, and why. The first that
    fits counts."""
    takes_secrets: ClassVar[bool] = True
    grace: ClassVar[float] = 3.0
    """Seconds for what is on its way when a volume is unmounted."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._followed: dict[Path, asyncio.Task[None]] = {}
        self._reports: list[Report] = []
        self._silent: set[str] = set()
        self._asking: set[Path] = set()
        self._cleaning = asyncio.Lock()
        self._clean = False

    def on_trouble(self, report: Report) -> None:
        """Say so when a volume's program has ended, or its server is silent."""
        self._reports.append(report)

    @abstractmethod
    async def fields(self, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
        """Where a class keeps its volumes, checked. Raises StorageError."""

    @abstractmethod
    def program(self, mounting: Mounting) -> Program:
        """What mounts it. Raises StorageError INVALID_ARGUMENT, UNAUTHENTICATED."""

    def mode(self, place: Place) -> int:
        """Of a claim's directory on the server, where only the account that mounts it needs to enter."""
        return 0o700

    def explain(self, said: str) -> StorageError:
        """What a program meant that could not mount: as the protocol has it in `complaints`, else its last line."""
        for part, code, why in self.complaints:
            if part in said:
                return StorageError(code, f"{self.server}: {why}")
        return StorageError("UNAVAILABLE", f"{self.server}: {said.splitlines()[-1][:300] if said else 'no answer'}")

    async def create(self, request: VolumeRequest) -> Volume:
        """Make the claim's directory. Raises StorageError."""
        if request.source.snapshot or request.source.volume:
            raise self.lacks("volumes cannot begin with a snapshot or another volume")
        place = new_place(request, await self.fields(request.parameters, request.secrets))
        self.program(Mounting(place, request.secrets, request.use))  # what can be refused, is refused now
        async with self._mounted(place, request.secrets, request.use) as root:
            if not place.dataset:
                await self._do(PATIENCE, directories.make, root, place.directory, self.mode(place))
            elif place.directory:
                await self._do(PATIENCE, os.stat, root / place.directory)
        return Volume(place.handle, request.size, place.context)

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        """Delete the claim's directory, unless the class keeps it. Raises StorageError."""
        place = place_in(handle)
        if place.keep:
            return
        if not place.directory:
            raise refused(f"{handle!r} names no directory of its own: nothing is deleted")
        async with self._mounted(place, secrets, Use(("ReadWriteMany",))) as root:
            await self._do(_DELETING, directories.remove, root, place.directory)

    async def expand(self, handle: str, size: int, secrets: Mapping[str, str]) -> Expansion:
        """There is nothing to be done: sizes are the server's."""
        return Expansion(size, on_node=False)

    async def stage(self, staging: Staging) -> None:
        """Mount the claim's directory, anew when its program has ended. Without credentials that is left to `publish`:
        a class may name them for either. Raises StorageError."""
        if staging.use.block:
            raise refused("a directory on a server is no block device")
        mounting = Mounting(place_of(staging.context), staging.secrets, staging.use)
        if staging.secrets or not self.takes_secrets or mounting.place.fields.get("anonymous") == "true":
            await self._ensure(staging.handle, staging.path, mounting)

    async def unstage(self, handle: str, path: Path) -> None:
        """Unmount it, in whatever state it is. Raises StorageError."""
        await self._forget(path)
        await self._daemon(path).stop()
        self._silent.discard(handle)

    async def publish(self, publishing: Publishing) -> None:
        """Show it to a pod. Raises StorageError."""
        mounting = Mounting(place_of(publishing.context), publishing.secrets, publishing.use)
        await self._ensure(publishing.handle, publishing.staged, mounting)
        await self._do(PATIENCE, _show, publishing.staged, publishing.target, publishing.read_only)

    async def unpublish(self, handle: str, target: Path) -> None:
        """Take it from a pod; the server is not asked. Raises StorageError."""
        await self._do(PATIENCE, binding.take_back, target)

    async def stats(self, handle: str, path: Path) -> Usage:
        """What the server says. Raises StorageError."""
        try:
            found = await self._asked_for(path)
        except StorageError as error:
            if handle not in self._silent:
                self._tell(handle, error.message)
            self._silent.add(handle)
            raise
        self._silent.discard(handle)
        unit = found.f_frsize
        if not found.f_blocks or found.f_blocks * unit >= 1 << 58:  # as programs say that they do not know
            return Usage(None, None, None)
        used = (found.f_blocks - found.f_bfree) * unit
        return Usage(found.f_blocks * unit, used, found.f_bavail * unit)

    async def _asked_for(self, path: Path) -> os.statvfs_result:
        """One thread for each place, however long it hangs: whoever measures comes again and again."""
        if path in self._asking:
            raise StorageError("UNAVAILABLE", f"{self.server} has not answered yet")

        def ask() -> os.statvfs_result:
            try:
                os.stat(path)
                return os.statvfs(path)
            finally:
                self._asking.discard(path)

        self._asking.add(path)
        return await self._do(PATIENCE, ask)

    async def close(self) -> None:
        """Watch programs no more; they go on."""
        for path in list(self._followed):
            await self._forget(path)

    def _daemon(self, path: Path) -> Daemon | KernelMount:
        return Daemon(Workplace(self._config, path), path, self.grace)

    @contextlib.asynccontextmanager
    async def _mounted(self, place: Place, secrets: Mapping[str, str], use: Use) -> AsyncIterator[Path]:
        """What the class names, mounted for a moment. Raises StorageError."""
        point = self._making / sha256(place.handle.encode()).hexdigest()[:16]
        daemon = self._daemon(point)
        try:
            await self._clean_up()
            point.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                await self._start(daemon, Mounting(place, secrets, use, whole=True))
                yield point
            finally:
                await daemon.stop()
                point.rmdir()
        except OSError as error:  # of this machine: a full disk
            raise StorageError("INTERNAL", f"{self.name}: {error}") from error

    @property
    def _making(self) -> Path:
        """Where volumes are mounted while they are made or deleted."""
        return self._config.paths.data / "storage" / "remote" / self.name

    async def _clean_up(self) -> None:
        """Once: take back what an engine before us had mounted in the middle of making or deleting a volume."""
        async with self._cleaning:
            for point in () if self._clean else sorted(self._making.glob("*")):
                await self._daemon(point).stop(grace=0)
                point.rmdir()
            self._clean = True

    async def _ensure(self, handle: str, path: Path, mounting: Mounting) -> None:
        """Mounted at `path`, and watched."""
        daemon = self._daemon(path)
        if not daemon.is_alive():
            await self._forget(path)
            await self._start(daemon, mounting)
        self._follow(path, handle, daemon)

    async def _start(self, daemon: Daemon | KernelMount, mounting: Mounting) -> None:
        try:
            await daemon.start(self.program(mounting))
        except Unmounted as error:
            raise self.explain(str(error)) from error

    async def _do(self, seconds: float, work: Callable[..., T], *arguments: object) -> T:
        try:
            return await in_own_thread(seconds, work, *arguments)
        except TimeoutError as error:
            raise StorageError("DEADLINE_EXCEEDED", f"{self.server} did not answer within {seconds:.0f} s") from error
        except OSError as error:
            raise StorageError("INTERNAL", f"{self.server}: {error.strerror or error}") from error

    def _follow(self, path: Path, handle: str, daemon: Daemon | KernelMount) -> None:
        if path not in self._followed or self._followed[path].done():
            self._followed[path] = asyncio.create_task(self._until_gone(handle, daemon), name=f"{self.name} volume")

    async def _until_gone(self, handle: str, daemon: Daemon | KernelMount) -> None:
        while daemon.is_alive():
            await daemon.gone()
        log.warning("%s: the program that mounts %s has ended", self.name, handle)
        self._tell(handle, f"{self.server}: the program that mounts it has ended; pods that have it must be made anew")

    def _tell(self, handle: str, what: str) -> None:
        for report in self._reports:
            report(handle, what)

    async def _forget(self, path: Path) -> None:
        await end(self._followed.pop(path, None))


def _show(staged: Path, target: Path, read_only: bool) -> None:
    binding.show(staged, target, read_only=read_only)


def needed(secrets: Mapping[str, str], *names: str) -> str:
    """The first of several spellings of a credential. Raises StorageError UNAUTHENTICATED."""
    for name in names:
        if secrets.get(name):
            return secrets[name]
    why = f"the Secret has no {names[0]}" if secrets else "no Secret was given"
    hint = "csi.storage.k8s.io/provisioner-secret-name and node-stage-secret-name in the class name it"
    raise StorageError("UNAUTHENTICATED", f"{why}: {hint}")
