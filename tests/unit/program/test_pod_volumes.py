"""What mounts is made when it is needed, and not before."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.node.errors import VolumeError
from skerry.engine.program.pod_volumes import PodVolumes
from skerry.engine.storage.mounting.errors import MountError
from skerry.kube.objects import Obj

PLACE = Path("/there")


class Mounts:
    """Stands for `PodMounts`."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    def listen(self, changed: Any) -> None:
        self.done.append("listen")

    async def start(self) -> None:
        self.done.append("start")
        self.begun.set()
        await self.go_on.wait()

    async def close(self) -> None:
        self.done.append("close")

    async def set_up(self, pod: Obj) -> dict[str, Path]:
        self.done.append("set up")
        if pod["metadata"]["name"] == "bad":
            raise MountError("no such volume")
        return {"data": PLACE}

    async def tear_down(self, uid: str) -> bool:
        return False


def pod(name: str, *kinds: str) -> Obj:
    volumes = [{"name": kind, kind: {"claimName": "c"}} for kind in kinds]
    container = {"name": "c", "volumeMounts": [{"name": kind, "mountPath": "/x"} for kind in kinds]}
    return {"metadata": {"name": name}, "spec": {"volumes": volumes, "containers": [container]}}


async def test_made_with_the_first_claim(tmp_path: Path) -> None:
    made: Any = Mounts()
    volumes = PodVolumes(tmp_path, lambda: made)
    (tmp_path / "staged").mkdir()
    await volumes.start()
    volumes.listen(lambda uid: None)
    assert await volumes.set_up(pod("plain", "emptyDir")) == {}
    assert await volumes.tear_down("u")
    assert (volumes.holds("u"), list(volumes.pods()), volumes.in_use(), volumes.mounted()) == (False, [], [], ())
    assert made.done == []
    assert await volumes.set_up(pod("web", "persistentVolumeClaim")) == {"data": PLACE}
    with pytest.raises(VolumeError, match="no such volume"):
        await volumes.set_up(pod("bad", "nfs"))
    assert not await volumes.tear_down("u")
    await volumes.close()
    assert made.done == ["listen", "start", "set up", "set up", "close"]


async def test_made_at_the_start_for_what_an_earlier_engine_left(tmp_path: Path) -> None:
    made: Any = Mounts()
    (tmp_path / "published" / "uid").mkdir(parents=True)
    await PodVolumes(tmp_path, lambda: made).start()
    assert made.done == ["start"]


async def test_a_pod_that_ends_while_it_is_made_leaves_nobody_listening(tmp_path: Path) -> None:
    first, second = Mounts(), Mounts()
    first.go_on.clear()
    made: Any = iter([first, second])
    volumes = PodVolumes(tmp_path, lambda: next(made))
    volumes.listen(lambda uid: None)
    asking = asyncio.create_task(volumes.set_up(pod("web", "persistentVolumeClaim")))
    await first.begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert first.done == ["listen", "start", "close"]
    assert await volumes.set_up(pod("web", "persistentVolumeClaim")) == {"data": PLACE}
    assert second.done == ["listen", "start", "set up"]
