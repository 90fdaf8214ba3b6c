"""What the next engine knows of mounts, the drivers there are, and files that change hands."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from skerry.engine import file_groups
from skerry.engine.storage.contract import Driver
from skerry.engine.storage.mounting.journal import Journal, Published, Staged
from skerry.engine.storage.registry import Drivers
from skerry.kube.threads import in_own_thread


async def test_the_next_engine_reads_what_was_noted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    path = journal.stage_path("kubernetes.io/nfs", "server:/a/../b")
    assert path.parent.parent == tmp_path / "staged"
    staged = Staged("kubernetes.io/nfs", "server:/a/../b", path)
    one = Published("u-1", ("team", "web"), "data", "pv", *staged.place, tmp_path / "target", ("team", "mine"), group=7)
    await journal.stage(staged)
    await journal.publish(one)
    await journal.publish(replace(one, done=True))
    await journal.publish(replace(one, uid="u-2"))
    (tmp_path / "published" / "u-2" / "torn.json").write_text('{"uid": "u-')
    (tmp_path / "published" / "u-3").mkdir()
    (tmp_path / "published" / "u-3" / ".data.json.new").write_text("{")
    later = Journal(tmp_path)
    later.load()
    assert not (tmp_path / "published" / "u-3").exists()
    assert later.published == journal.published == {
        ("u-1", "data"): replace(one, done=True), ("u-2", "data"): replace(one, uid="u-2"),
    }  # fmt: skip
    assert later.staged == {staged.place: staged}
    assert [later.holds(uid) for uid in ("u-1", "u-2", "u-3")] == [True, True, False]
    await later.unpublish(one)
    assert not later.holds("u-1")
    assert [user.uid for user in later.users(staged.place)] == ["u-2"]
    await later.unstage(staged)
    assert sorted(path.name for path in tmp_path.rglob("*.json")) == ["data.json", "torn.json"]
    assert (tmp_path / "published" / "u-2" / "data.json").stat().st_mode & 0o777 == 0o600


def test_drivers_come_and_go_and_whoever_asked_is_told() -> None:
    first, second, told = Driver(), Driver(), list[str]()
    drivers = Drivers({"b": first})
    drivers.on_change(told.append)
    drivers.add("a", first)
    drivers.add("a", second)
    drivers.remove("a", first)  # another has taken its place
    assert (drivers.get("a"), drivers.names()) == (second, ["a", "b"])
    drivers.remove("a")
    drivers.remove("a")
    assert told == ["a", "a", "a"]
    assert drivers.get("a") is None


def test_a_group_is_given_everything_but_what_links_lead_to(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "deep").mkdir(parents=True)
    outside.write_text("x")
    outside.chmod(0o600)
    (root / "deep" / "file").write_text("y")
    (root / "deep" / "file").chmod(0o600)
    (root / "link").symlink_to(outside)
    group = os.getgid()
    file_groups.give_to_group(root, group)
    modes = [path.stat().st_mode & 0o7777 for path in (root, root / "deep", root / "deep" / "file", outside)]
    assert [mode & 0o2070 for mode in modes] == [0o2070, 0o2070, 0o060, 0o000]
    assert file_groups.is_given(root, group)
    root.chmod(0o700)
    file_groups.give_to_group(root, group, go_on=lambda: False)
    assert not file_groups.is_given(root, group)  # the root comes last


async def test_a_thread_that_hangs_holds_up_nobody() -> None:
    read, write = os.pipe()
    try:
        await in_own_thread(0.01, os.read, read, 1)
    except TimeoutError:
        os.write(write, b"x")
    else:
        raise AssertionError("the pipe was empty")
    finally:
        os.close(write)
