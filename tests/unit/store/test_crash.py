"""SIGKILL at random moments under a writing load: no acknowledged write is lost, no revision given twice."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

from skerry.engine.store.sqlite import SqliteStore

from .helpers import key

ROOT = Path(__file__).parents[3]


def write_until_killed(path: Path, seconds: float) -> dict[str, tuple[str, int]]:
    """The last acknowledged (verb, revision) of each name; all acknowledged revisions are checked to be distinct."""
    command = [sys.executable, "-m", "tests.unit.store.crash_writer", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]  # it is writing now
        time.sleep(seconds)
        process.kill()
        lines += process.stdout.read().splitlines()
    acknowledged = [line.split() for line in lines if len(line.split()) == 3]
    revisions = [int(revision) for _, revision, _ in acknowledged]
    assert len(revisions) == len(set(revisions)) > 0
    return {name: (verb, int(revision)) for verb, revision, name in acknowledged}


async def check(path: Path, acknowledged: dict[str, tuple[str, int]]) -> int:
    store = await SqliteStore.open(path)
    for name, (verb, revision) in acknowledged.items():
        entry = store.get(key(name))
        if entry is None:  # deleted, by this write or by a later one that was not acknowledged
            assert verb == "delete" or store.revision > revision
        else:
            assert entry.revision > revision if verb == "delete" else entry.revision >= revision
            assert entry.decode()["metadata"]["resourceVersion"] == str(entry.revision)
    assert store.revision >= max(revision for _, revision in acknowledged.values())
    revision = store.revision
    await store.close()
    return revision


def test_acknowledged_writes_survive_kill_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    before = 0
    for _ in range(6):
        acknowledged = write_until_killed(path, random.uniform(0.01, 0.4))
        assert min(revision for _, revision in acknowledged.values()) > before, "a revision was given twice"
        before = asyncio.run(check(path, acknowledged))
