"""Directories with secrets: for us only, gone with their work, and after a kill with the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from skerry.platform.base import private_directories
from skerry.platform.base.private_directories import PrivateDirectory, sweep

MAKE = """
import sys, time
from skerry.platform.base.private_directories import PrivateDirectory
made = PrivateDirectory("git")
(made.path / "key").write_text("secret")
print(made.path, flush=True)
time.sleep(600)
"""


def test_what_a_killed_process_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = {"TMPDIR": str(tmp_path), "PYTHONPATH": "src"}
    with PrivateDirectory("releases") as own:
        assert own.path.stat().st_mode & 0o777 == 0o700
        with subprocess.Popen(
            [sys.executable, "-c", MAKE], stdout=subprocess.PIPE, text=True, env=environment
        ) as other:
            assert other.stdout is not None
            left = Path(other.stdout.readline().strip())
            sweep()
            assert (left / "key").exists(), "somebody works there"
            other.kill()
        (tmp_path / "skerry-private-x").symlink_to("/")
        sweep()
        assert not left.exists()
        assert own.path.exists()
    assert not own.path.exists()


@pytest.mark.parametrize("moment", ["mkdtemp", "open"])
def test_one_that_is_swept_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Two platforms of a machine that start at the same time."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    swept: list[str] = []
    where = private_directories if moment == "mkdtemp" else os
    make = getattr(where, moment)

    def interrupted(*words: Any, **options: Any) -> Any:
        made = make(*words, **options)
        if not swept:
            swept.append(moment)
            monkeypatch.setattr(where, moment, make)
            sweep()
        return made

    monkeypatch.setattr(where, moment, interrupted)
    with PrivateDirectory("releases") as own:
        assert swept
        assert own.path.stat().st_mode & 0o777 == 0o700
        sweep()
        assert [one.name for one in tmp_path.iterdir()] == [own.path.name]
    assert not list(tmp_path.iterdir())
