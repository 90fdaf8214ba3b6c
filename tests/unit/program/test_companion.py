"""What runs beside the engine: started again, ended in order, its words kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from skerry.engine.program import companion
from skerry.engine.program.companion import Companion
from tests.support.waiting import until

_MODULE = """
import os, signal, sys
print(os.getpid(), *sys.argv[1:], flush=True)
if len(open(sys.argv[1]).read()) < 2:
    open(sys.argv[1], "a").write("x")
    sys.exit(3)
signal.pause()
"""


async def test_it_is_started_again_until_it_is_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_companion.py").write_text(_MODULE)
    counted, log = tmp_path / "a count", tmp_path / "log" / "platform.log"
    counted.touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(companion, "_FIRST", 0.01)
    running = Companion(f"some_companion '{counted}'", log)
    running.start()
    try:
        await until(lambda: log.exists() and len(log.read_text().splitlines()) == 3, "the third start")
        last, told = log.read_text().splitlines()[-1].split(" ", 1)
        assert told == str(counted)
        assert log.stat().st_mode & 0o777 == 0o600
    finally:
        await running.close()
    assert not os.path.exists(f"/proc/{last}")
