"""An engine may be killed at any moment of mounting and taking back: the next one takes back whatever was mounted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.storage.contract import Ability, Driver, Publishing, Staging, StorageError, Use
from skerry.engine.storage.mounting.errors import MountError
from skerry.engine.storage.mounting.journal import Journal, Published
from skerry.engine.storage.mounting.mounter import Job, Mounter
from skerry.engine.storage.mounting.resolving import Mountable
from skerry.engine.storage.registry import Drivers

STEPS = 14
"""More than there are, before and after each write and each call."""


class Killed(BaseException):
    """The engine is gone."""


class Crash:
    """Comes at the n-th step; after that nothing is done any more."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


class Machine(Driver):
    """A driver whose mounts are a set, which outlives the engine."""

    name = "machine"
    abilities = frozenset({Ability.STAGE})

    def __init__(self) -> None:
        self.mounted: set[Path] = set()
        self.crash = Crash(1000)
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.failure: StorageError | None = None

    async def stage(self, staging: Staging) -> None:
        await self._do(lambda: self.mounted.add(staging.path))

    async def unstage(self, handle: str, path: Path) -> None:
        await self._do(lambda: self.mounted.discard(path))

    async def publish(self, publishing: Publishing) -> None:
        assert publishing.staged in self.mounted
        await self._do(lambda: self.mounted.add(publishing.target))

    async def unpublish(self, handle: str, target: Path) -> None:
        await self._do(lambda: self.mounted.discard(target))

    async def _do(self, work: Callable[[], Any]) -> None:
        self.crash.step()
        self.entered.set()
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        work()
        self.crash.step()


class Engine:
    """One life."""

    def __init__(self, root: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
        self.root = root
        self.journal = Journal(root / "storage")
        self.journal.load()
        self.mounter = Mounter(Drivers({machine.name: machine}), self.journal)
        if monkeypatch is not None:
            for name in ("publish", "unpublish", "stage", "unstage"):
                monkeypatch.setattr(self.journal, name, _fragile(getattr(self.journal, name), machine))

    async def mount(self, uid: str = "u", mode: str = "ReadWriteOnce") -> Published:
        mountable = Mountable("data", "pv", "machine", "h", Use((mode,)))
        return await self.mounter.mount(Job(mountable, uid, ("team", "web"), self.root / "pods" / uid / "mount"))

    async def take_back(self) -> None:
        for published in list(self.journal.published.values()):
            await self.mounter.unmount(published)
        for place in list(self.journal.staged):
            assert await self.mounter.unstage(place)


def _fragile(write: Callable[..., Any], machine: Machine) -> Callable[..., Any]:
    async def fragile(*arguments: Any) -> None:
        machine.crash.step()
        await write(*arguments)
        machine.crash.step()

    return fragile


@pytest.mark.parametrize("taking_back", [False, True])
@pytest.mark.parametrize("at", range(STEPS))
async def test_nothing_is_left_whenever_the_engine_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, taking_back: bool
) -> None:
    machine = Machine()
    first = Engine(tmp_path, machine, monkeypatch)
    if taking_back:
        await first.mount()
    machine.crash = Crash(at)
    died = False
    try:
        await (first.take_back() if taking_back else first.mount())
    except Killed:
        died = True
    machine.crash = Crash(1000)
    assert died or at >= 8  # every step comes to its turn
    second = Engine(tmp_path, machine)
    if not taking_back:
        await second.mount()  # a pod that is still wanted has what it asked for
        assert len(machine.mounted) == 2
    await second.take_back()
    assert machine.mounted == set()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_taking_back_waits_for_what_is_under_way(tmp_path: Path) -> None:
    machine = Machine()
    engine = Engine(tmp_path, machine)
    machine.go_on.clear()
    mounting = asyncio.create_task(engine.mount())
    await machine.entered.wait()
    taking = asyncio.create_task(engine.take_back())
    machine.go_on.set()
    await asyncio.gather(mounting, taking)
    assert machine.mounted == set()


async def test_staged_once_for_all_pods_and_until_the_last_has_gone(tmp_path: Path) -> None:
    machine = Machine()
    engine = Engine(tmp_path, machine)
    first, second = await engine.mount("a"), await engine.mount("b")
    assert len(machine.mounted) == 3
    await engine.mounter.unmount(first)
    assert await engine.mounter.unstage(first.place)
    assert len(machine.mounted) == 2
    with pytest.raises(MountError, match="ReadWriteOncePod access mode and is already in use by another pod"):
        await engine.mount("c", "ReadWriteOncePod")
    await engine.mounter.unmount(second)
    assert await engine.mounter.unstage(first.place)
    assert machine.mounted == set()


async def test_what_fails_is_told_in_kubernetes_words_and_tried_again(tmp_path: Path) -> None:
    machine = Machine()
    engine = Engine(tmp_path, machine)
    machine.failure = StorageError("DEADLINE_EXCEEDED", "no answer")
    why = 'MountVolume.MountDevice failed for volume "pv" : rpc error: code = DeadlineExceeded desc = no answer'
    with pytest.raises(MountError, match=why):
        await engine.mount()
    machine.failure = None
    assert (await engine.mount()).done
    machine.failure = StorageError("INTERNAL", "busy")
    with pytest.raises(StorageError):
        await engine.take_back()
    assert engine.journal.holds("u")  # it is not forgotten
    machine.failure = None
    await engine.take_back()
    assert machine.mounted == set()


async def test_what_was_whole_is_whole_for_every_engine_that_only_looks_at_it_again(tmp_path: Path) -> None:
    """Killed once more before the volume was looked at: a claim that is going stays usable for the pod that has it."""
    machine = Machine()
    await Engine(tmp_path, machine).mount()
    machine.failure = StorageError("UNAVAILABLE", "not yet")
    with pytest.raises(MountError):
        await Engine(tmp_path, machine).mount()
    assert [one.done for one in Engine(tmp_path, machine).journal.published.values()] == [True]
