"""Stages, publishes and takes back volumes through their drivers: one call per volume at a time, none for ever.

Neighbours: `pods` says what, `journal` remembers. A call that is under way is not cancelled when its pod ends: taking
back waits for it, so that nothing is mounted behind its back. Invariant: the order is journal, stage, publish, and
unpublish, unstage, journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from skerry.engine import file_groups
from skerry.engine.storage.contract import PATIENCE, Ability, Driver, Publishing, Staging, StorageError
from skerry.engine.storage.mounting.errors import MountError
from skerry.engine.storage.mounting.in_tree import LocalVolumes, NfsVolumes, take_down
from skerry.engine.storage.mounting.journal import Journal, Published, Staged
from skerry.engine.storage.mounting.resolving import Mountable
from skerry.engine.storage.registry import Drivers
from skerry.kube.records import record
from skerry.kube.threads import in_own_thread

log = logging.getLogger(__name__)

Result = TypeVar("Result")
_LONGEST_STAGE = 120.0
"""Seconds: making or checking a file system takes time in proportion to its size."""
_MARGIN = 5.0
"""Seconds a driver may be later than it promised."""


@record
class Group:
    """Whose files they shall be, and whether to trust the root's look (`OnRootMismatch`)."""

    id: int
    on_root_mismatch: bool = False


@record
class Job:
    """One volume for one pod. `secrets` are held in memory only."""

    mountable: Mountable
    uid: str
    pod: tuple[str, str]
    target: Path
    group: Group | None = None
    attachment: Mapping[str, str] | None = None
    """What attaching gave; None for a volume that is not attached."""
    stage_secrets: Mapping[str, str] = field(default_factory=dict)
    publish_secrets: Mapping[str, str] = field(default_factory=dict)
    pod_info: Mapping[str, str] = field(default_factory=dict)
    go_on: Callable[[], bool] = file_groups.always
    """Asked, in another thread, while a group is brought about: whether the pod still wants it."""


class _Turn:
    """Whose turn it is at a volume, and how many want one."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Mounter:
    """All volumes of the machine."""

    def __init__(self, drivers: Drivers, journal: Journal) -> None:
        self._drivers = drivers
        self._journal = journal
        self._in_tree: dict[str, Driver] = {one.name: one for one in (LocalVolumes(), NfsVolumes())}
        self._turns: dict[tuple[str, str], _Turn] = {}
        self._staged: set[tuple[str, str]] = set()
        """Staged by this engine: what an earlier one did is done again, harmlessly, in case it was half done."""

    def driver(self, name: str) -> Driver | None:
        """A driver by name, those of in-tree sources included."""
        return self._in_tree.get(name) or self._drivers.get(name)

    async def mount(self, job: Job) -> Published:
        """Make a volume ready for a pod; harmless when it is. Raises MountError."""
        mountable = job.mountable
        async with self._alone(mountable.driver, mountable.handle):
            driver = self.driver(mountable.driver)
            if driver is None:
                raise MountError(_failed(mountable, "MountDevice", _unknown(mountable.driver)))
            self._check_exclusive(job)
            if not job.go_on():
                raise MountError(_failed(mountable, "SetUp", "the pod ends"))
            before = self._journal.published.get((job.uid, mountable.volume))
            published = _published(job, before)
            await self._journal.publish(published)
            staged = self._journal.stage_path(mountable.driver, mountable.handle)
            if Ability.STAGE in driver.abilities and not mountable.inline:
                await self._stage(driver, job, staged)
            await self._publish(driver, job, staged)
            published = replace(published, group=await self._give(job, published), done=True)
            await self._journal.publish(published)
            return published

    async def publish_again(self, job: Job) -> None:
        """Have the driver do once more what it did for a pod, with new secrets; nothing when the pod has the volume no
        longer. What is mounted stays, whatever the driver says. Raises MountError."""
        mountable = job.mountable
        async with self._alone(mountable.driver, mountable.handle):
            driver = self.driver(mountable.driver)
            if driver is not None and job.go_on() and (job.uid, mountable.volume) in self._journal.published:
                await self._publish(driver, job, self._journal.stage_path(mountable.driver, mountable.handle))

    async def unmount(self, published: Published) -> None:
        """Take a volume back from a pod, and unstage it when it was the last. Raises StorageError, OSError,
        TimeoutError; then it is in the journal still, and nothing is visible at the target."""
        async with self._alone(*published.place):
            if published.key not in self._journal.published:
                return
            try:
                driver = self.driver(published.driver)
                if driver is None:
                    raise StorageError("UNAVAILABLE", _unknown(published.driver))
                await _bounded(PATIENCE, driver.unpublish(published.handle, published.target))
            finally:
                await in_own_thread(PATIENCE, take_down, published.target)
            await in_own_thread(PATIENCE, _remove_parent, published.target)
            await self._journal.unpublish(published)

    async def unstage(self, place: tuple[str, str]) -> bool:
        """Unstage a volume that no pod has; False while its driver is not there. Raises StorageError, OSError,
        TimeoutError."""
        async with self._alone(*place):
            staged = self._journal.staged.get(place)
            if staged is None or self._journal.users(place):
                return True
            driver = self.driver(staged.driver)
            if driver is None:
                return False
            self._staged.discard(place)
            await _bounded(_LONGEST_STAGE, driver.unstage(staged.handle, staged.path))
            await in_own_thread(PATIENCE, take_down, staged.path)
            await self._journal.unstage(staged)
            return True

    async def expand(self, published: Published, size: int) -> int:
        """Let a mounted volume fill what it was given; its size in bytes. Raises StorageError, TimeoutError."""
        async with self._alone(*published.place):
            driver = self.driver(published.driver)
            if driver is None:
                raise StorageError("UNAVAILABLE", _unknown(published.driver))
            return await _bounded(_LONGEST_STAGE, driver.expand_on_node(published.handle, published.target, size))

    @contextlib.asynccontextmanager
    async def _alone(self, driver: str, handle: str) -> AsyncIterator[None]:
        """One at a time per volume; the last to leave takes the lock along."""
        place = (driver, handle)
        turn = self._turns.setdefault(place, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[place]

    def _check_exclusive(self, job: Job) -> None:
        others = [
            one for one in self._journal.users((job.mountable.driver, job.mountable.handle)) if one.uid != job.uid
        ]
        if others and (job.mountable.is_exclusive or any(one.exclusive for one in others)):
            why = "volume uses the ReadWriteOncePod access mode and is already in use by another pod"
            raise MountError(_failed(job.mountable, "SetUp", why))

    async def _stage(self, driver: Driver, job: Job, path: Path) -> None:
        """Once for all pods."""
        mountable = job.mountable
        staged = Staged(mountable.driver, mountable.handle, path)
        if staged.place in self._staged:
            return
        await self._journal.stage(staged)
        staging = Staging(
            handle=mountable.handle,
            path=path,
            use=mountable.use,
            context=mountable.context,
            secrets=job.stage_secrets,
            attachment=job.attachment or {},
        )
        with _telling(mountable, "MountDevice"):
            await in_own_thread(PATIENCE, _make_directory, path)
            await _bounded(_LONGEST_STAGE, driver.stage(staging))
        self._staged.add(staged.place)

    async def _publish(self, driver: Driver, job: Job, staged: Path) -> None:
        mountable = job.mountable
        publishing = Publishing(
            handle=mountable.handle,
            staged=staged,
            target=job.target,
            use=mountable.use,
            read_only=mountable.read_only,
            context=mountable.context,
            secrets=job.publish_secrets,
            attachment=job.attachment or {},
            pod=job.pod_info,
        )
        with _telling(mountable, "SetUp"):
            await in_own_thread(PATIENCE, lambda: job.target.parent.mkdir(parents=True, exist_ok=True, mode=0o750))
            try:
                await _bounded(PATIENCE, driver.publish(publishing))
            except StorageError:
                self._staged.discard((mountable.driver, mountable.handle))  # perhaps that is what is broken
                raise

    async def _give(self, job: Job, published: Published) -> int | None:
        """Bring about the pod's group, unless that was done; it takes as long as there are files."""
        group = job.group
        if group is None or published.group == group.id:
            return published.group
        with _telling(job.mountable, "SetUp"):
            if group.on_root_mismatch and await in_own_thread(PATIENCE, file_groups.is_given, job.target, group.id):
                return group.id
            give = partial(file_groups.give_to_group, read_only=job.mountable.read_only, go_on=job.go_on)
            await in_own_thread(None, give, job.target, group.id)
        if not job.go_on():
            raise MountError(_failed(job.mountable, "SetUp", "the pod ends"))
        return group.id


def _published(job: Job, before: Published | None) -> Published:
    """What is noted before a volume is asked for. One that an earlier engine mounted whole still is."""
    mountable = job.mountable
    same = before is not None and before.handle == mountable.handle
    return Published(
        uid=job.uid,
        pod=job.pod,
        volume=mountable.volume,
        name=mountable.name,
        driver=mountable.driver,
        handle=mountable.handle,
        target=job.target,
        claim=mountable.claim,
        block=mountable.use.block,
        read_only=mountable.read_only,
        exclusive=mountable.is_exclusive,
        attached=job.attachment is not None,
        group=before.group if before is not None and same else None,
        done=before.done if before is not None and same else False,
    )


async def _bounded(seconds: float, call: Coroutine[Any, Any, Result]) -> Result:
    try:
        async with asyncio.timeout(seconds + _MARGIN):
            return await call
    except TimeoutError:
        raise StorageError("DEADLINE_EXCEEDED", f"the driver did not answer within {seconds:.0f} s") from None


@contextlib.contextmanager
def _telling(mountable: Mountable, step: str) -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        why = f"rpc error: code = {_camel(error.code)} desc = {error.message}"
        raise MountError(_failed(mountable, step, why)) from error
    except TimeoutError as error:
        raise MountError(_failed(mountable, step, "the file system did not answer in time")) from error
    except OSError as error:
        raise MountError(_failed(mountable, step, str(error))) from error


def _failed(mountable: Mountable, step: str, why: str) -> str:
    if mountable.use.block:
        step = {"SetUp": "MapPodDevice", "MountDevice": "SetUpDevice"}[step]
        return f'MapVolume.{step} failed for volume "{mountable.name}" : {why}'
    return f'MountVolume.{step} failed for volume "{mountable.name}" : {why}'


def _unknown(driver: str) -> str:
    return f"kubernetes.io/csi: driver name {driver} not found in the list of registered CSI drivers"


def _camel(code: str) -> str:
    """As Go prints a gRPC code: DEADLINE_EXCEEDED is DeadlineExceeded."""
    return "OK" if code == "OK" else "".join(word.capitalize() for word in code.split("_"))


def _remove_parent(target: Path) -> None:
    with contextlib.suppress(OSError):  # the pod's own directory may have gone before
        target.parent.rmdir()


def _make_directory(path: Path) -> None:
    """Not by `exist_ok`, which asks what is there: it may be the mount of a program that has ended."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(parents=True, mode=0o700)
