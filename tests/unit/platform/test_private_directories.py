"""Directories with secrets: for us only, gone with their work, and after a kill with the next start."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

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
