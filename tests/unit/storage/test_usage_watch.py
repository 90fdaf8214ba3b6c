"""Volumes measured, and told of when they fill up."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.storage.contract import Ability, Driver, StorageError, Usage
from skerry.engine.storage.usage.meter import Meter
from skerry.engine.storage.usage.mounted import MountedVolume
from skerry.engine.storage.usage.watch import UsageWatch
from skerry.kube.objects import Obj, Resource, name_of, namespace_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS, STORAGE_CLASSES

DATA = MountedVolume("team", "web-0", "u0", "data", "files", "d", "h1", Path("/nowhere"))


class FakeDriver(Driver):
    """Tells what it is told; an exception is raised, None never answers."""

    name = "d"
    abilities = frozenset({Ability.STATS})

    def __init__(self) -> None:
        self.usage: dict[str, Usage | Exception | None] = {}
        self.calls = 0

    async def stats(self, handle: str, path: Path) -> Usage:
        self.calls += 1
        found = self.usage[handle]
        if isinstance(found, Exception):
            raise found
        if found is None:
            await asyncio.Event().wait()
        assert isinstance(found, Usage)
        return found


class Volumes:
    """What is mounted."""

    def __init__(self, *listed: MountedVolume) -> None:
        self.listed: Sequence[MountedVolume] = listed

    def mounted(self) -> Sequence[MountedVolume]:
        return self.listed


class Caches:
    """Objects by resource."""

    def __init__(self, objects: dict[Resource, list[Obj]]) -> None:
        self._objects = objects

    def of(self, resource: Resource) -> Any:
        return _Cache(self._objects.get(resource, []))


class _Cache:
    def __init__(self, objects: list[Obj]) -> None:
        self._objects = objects

    def get(self, name: str, namespace: str = "") -> Obj | None:
        return next((one for one in self._objects if (name_of(one), namespace_of(one)) == (name, namespace)), None)

    def list(self) -> list[Obj]:
        return self._objects


class Events:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def named(self, _component: str) -> Events:
        return self

    def event(self, involved: Obj, _type: str, reason: str, message: str) -> None:
        self.told.append((involved["kind"], reason, message))

    def take(self) -> list[tuple[str, str, str]]:
        told, self.told = self.told, []
        return told


def of_kind(kind: str, name: str, namespace: str = "", **more: Any) -> Obj:
    metadata = {"name": name, "uid": f"uid-{name}", **({"namespace": namespace} if namespace else {})}
    return {"kind": kind, "apiVersion": "v1", "metadata": metadata, "spec": {}, **more}


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver()


@pytest.fixture
def events() -> Events:
    return Events()


def watch_of(
    driver: FakeDriver,
    events: Events,
    folder: Path,
    *mounted: MountedVolume,
    grows: bool = True,
    mode: str = "ReadWriteOnce",
) -> UsageWatch:
    spec = {"storageClassName": "local", "accessModes": [mode]}
    status = {"capacity": {"storage": "100Mi"}}
    caches: Any = Caches(
        {
            PERSISTENT_VOLUME_CLAIMS: [
                of_kind("PersistentVolumeClaim", "files", "team", spec=spec, status=status),
            ],
            PODS: [of_kind("Pod", "web-0", "team"), of_kind("Pod", "web-1", "team")],
            STORAGE_CLASSES: [of_kind("StorageClass", "local", allowVolumeExpansion=grows)],
        }
    )
    recorder: Any = events
    meter = Meter(Volumes(*mounted), {"d": driver}.get, patience=0.05)
    return UsageWatch(meter, caches, recorder, folder / "storage" / "levels.json")


def full(percent: int, inodes: int = 0) -> Usage:
    return Usage(100 * 2**20, percent * 2**20, (100 - percent) * 2**20, 100, inodes, 100 - inodes)


async def test_each_crossing_is_told_once_to_the_claim_and_its_pods(
    driver: FakeDriver, events: Events, tmp_path: Path
) -> None:
    other = replace(DATA, pod="web-1", pod_uid="u1")
    watch = watch_of(driver, events, tmp_path, DATA, other)
    driver.usage["h1"] = full(79)
    await watch.look()
    assert events.take() == []
    driver.usage["h1"] = full(81)
    await watch.look()
    await watch.look()
    text = "81 % full: 81.0 MiB of 100 MiB used, 19.0 MiB left. More room: skerry volumes expand files 150Mi -n team"
    assert events.take() == [
        ("PersistentVolumeClaim", "VolumeFillingUp", f"The volume is {text}"),
        ("Pod", "VolumeFillingUp", f'Volume "data" is {text}'),
        ("Pod", "VolumeFillingUp", f'Volume "data" is {text}'),
    ]
    assert driver.calls == 3, "one volume is measured once for both pods"
    driver.usage["h1"] = full(100, inodes=92)
    await watch.look()
    assert [reason for kind, reason, _ in events.take() if kind != "Pod"] == ["VolumeFull", "VolumeFillingUp"]


async def test_a_restart_says_nothing_twice(driver: FakeDriver, events: Events, tmp_path: Path) -> None:
    driver.usage["h1"] = full(95)
    await watch_of(driver, events, tmp_path, DATA).look()
    assert len(events.take()) == 2
    again = watch_of(driver, events, tmp_path, DATA)
    again.start()
    await again.look()
    await again.close()
    assert events.take() == []


async def test_where_the_class_gives_no_more_room_it_says_what_else_helps(
    driver: FakeDriver, events: Events, tmp_path: Path
) -> None:
    driver.usage["h1"] = full(95)
    await watch_of(driver, events, tmp_path, DATA, grows=False).look()
    assert events.take()[0][2].endswith(". What is large in it: skerry volumes du files -n team")


async def test_what_is_only_read_or_belongs_to_others_too_is_not_told_of(
    driver: FakeDriver, events: Events, tmp_path: Path
) -> None:
    driver.usage["h1"] = full(100)
    await watch_of(driver, events, tmp_path, DATA, mode="ReadOnlyMany").look()
    await watch_of(driver, events, tmp_path, replace(DATA, driver="kubernetes.io/nfs", path=tmp_path)).look()
    assert events.take() == []


async def test_one_that_does_not_answer_holds_up_nobody_and_is_asked_once(driver: FakeDriver) -> None:
    silent = replace(DATA, name="silent", handle="h2")
    broken = replace(DATA, name="broken", handle="h3")
    gone = replace(DATA, name="gone", driver="other", handle="h4")
    driver.usage = {"h1": full(1), "h2": None, "h3": StorageError("INTERNAL", "no such volume")}
    meter = Meter(Volumes(DATA, silent, broken, gone), {"d": driver}.get, patience=0.05)
    for _ in range(2):
        found = {one.volume.name: (one.usage is not None, one.trouble) for one in await meter.read()}
        assert found == {
            "data": (True, ""),
            "silent": (False, "does not answer for 0.05 s"),
            "broken": (False, "no such volume"),
            "gone": (False, "driver other is not there"),
        }
    assert driver.calls == 5, "who has not answered yet is not asked again"
    await meter.close()


async def test_a_failure_after_the_volume_was_reported_silent_is_nobodys() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    late = asyncio.Event()

    class Late(FakeDriver):
        async def stats(self, handle: str, path: Path) -> Usage:
            await late.wait()
            raise StorageError("DEADLINE_EXCEEDED", "no answer")

    meter = Meter(Volumes(DATA), {"d": Late()}.get, patience=0.01)
    assert [one.trouble for one in await meter.read()] == ["does not answer for 0.01 s"]
    asked = [task for task in asyncio.all_tasks() if task.get_name() == "usage of h1"]
    late.set()
    await asyncio.wait(asked)
    del asked
    gc.collect()
    assert complaints == []


async def test_what_only_the_kernel_knows_is_asked_of_the_kernel(tmp_path: Path) -> None:
    there = replace(DATA, driver="kubernetes.io/host-path", handle="a", path=tmp_path)
    nowhere = replace(DATA, name="x", driver="kubernetes.io/nfs", handle="b", path=tmp_path / "nowhere")
    found = {one.volume.name: one for one in await Meter(Volumes(there, nowhere), {}.get).read()}
    known = found["data"].usage
    assert known is not None
    assert (known.capacity or 0) > (known.used or 0) > 0
    assert found["x"].trouble == "No such file or directory"
    assert await Meter(Volumes(), {}.get).read() == ()
