"""The tests of examples/02-testing pass as a user runs them: other people's clients, unmodified."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples" / "02-testing").glob("test_*.py"))


def run_pytest(folder: Path, *words: str) -> str:
    """Run pytest in a process of its own, without this project's configuration. What the clients write for the time of
    a run (certificates) goes with the folder, also when the process is killed."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "skerry.testing.plugin"]
    search = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*command, f"--rootdir={folder}", "-p", "no:cacheprovider", *words],
        env={**os.environ, "PYTHONPATH": search, "TMPDIR": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path, tmp_path: Path) -> None:
    assert "1 passed" in run_pytest(tmp_path, str(example))


def test_documented_snippets(tmp_path: Path) -> None:
    """The Python blocks of docs/testing.md run, with an operator that does nothing."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "script.py").write_text(blocks[0])
    (tmp_path / "test_snippet.py").write_text(f"run_operator = dict\n{blocks[1]}\nimport script\n")
    assert "1 passed" in run_pytest(tmp_path, "test_snippet.py")


def test_the_plugin_imports_nothing_heavy() -> None:
    """It is loaded in every run of pytest where skerry is installed."""
    code = "import sys, skerry.testing.plugin; print([m for m in sys.modules if m.startswith('skerry')])"
    search = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(eval(done.stdout)) == {"skerry", "skerry.testing", "skerry.testing.plugin", "skerry.testing.cluster"}
