"""The pods that archive a volume and fill one, on containerd: their image is made when it is wanted, their powers are
enough for others' files, and the volume is not written. What the platform does with them: tests/component/platform."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from skerry.kube.objects import Obj, name_of
from skerry.platform.projects.lifecycle.archiving import copying, programs
from skerry.platform.projects.lifecycle.archiving.copying import Copy, Place, Task
from tests.component.node.node import Node
from tests.component.node.test_claims import bound, driver  # noqa: F401  # a fixture

pytestmark = [
    pytest.mark.root,
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.usefixtures("driver"),
]
PROJECT: Obj = {"metadata": {"name": "lidar", "uid": "01234567-89ab"}}
CLAIM: Obj = {"metadata": {"name": "data", "namespace": "lidar", "uid": "fedcba98-7654"}, "spec": {}}
COPY = Copy(PROJECT, CLAIM, {})
_WHERE = {"namespace": "default"}


async def told(node: Node, pod: Obj) -> Any:
    """What it says at its end."""
    spec = {**pod["spec"], "nodeName": "test"}
    await node.create({**pod, "metadata": {**pod["metadata"], **_WHERE}, "spec": spec})
    ended = await node.until(
        name_of(pod), lambda one: (one.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    )
    said = copying.said_by(ended)
    assert said.phase == "Succeeded", said.message
    return copying.told(ended)


def place_of(node: Node, handle: str) -> Path:
    """Where the tests' driver has a volume."""
    return node.config.paths.data / "volumes-of-tests" / handle


def described(root: Path) -> list[tuple[Any, ...]]:
    """Every file: name, mode, owner, time, size, blocks as far as they tell holes."""
    found = []
    for path in sorted(root.rglob("*")):
        one = path.lstat()
        times = () if path.is_dir() else (one.st_mtime_ns, one.st_size, one.st_blocks < 100)
        found.append((str(path.relative_to(root)), one.st_mode, one.st_uid, one.st_gid, *times))
    return found


async def test_others_files_are_kept_and_come_back_theirs(node: Node) -> None:
    theirs = place_of(node, "theirs")
    (theirs / "private").mkdir(parents=True)
    (theirs / "private" / "file").write_text("secret")
    (theirs / "private" / "program").write_text("x")
    os.setxattr(theirs / "private" / "file", "user.origin", b"ship")
    with (theirs / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    for path in (theirs / "private" / "file", theirs / "private" / "program", theirs / "private"):
        os.chown(path, 4321, 1234)
        path.chmod(0o4700 if path.name == "program" else 0o700)
    before = described(theirs)
    for name, handle in ((COPY.source, "theirs"), (COPY.name, "kept"), ("back", "back")):
        await bound(node, name, handle)

    measured = await told(node, copying.measuring_pod(COPY, Place()))
    assert measured["entries"] == 5
    assert measured["bytes"] < 1 << 20
    kept = await told(node, copying.copying_pod(COPY, Place()))
    assert kept["bytes"] == (place_of(node, "kept") / "data.tar.gz").stat().st_size
    assert described(theirs) == before

    filling = Task(programs.FILL, copying.filling_mounts(COPY.name, "back"), (("SHA256", kept["sha256"]),), writes=True)
    await told(node, copying.pod("fill", {}, copying.OWN_IMAGE, filling))
    back = place_of(node, "back")
    assert described(back) == before
    assert os.getxattr(back / "private" / "file", "user.origin") == b"ship"
