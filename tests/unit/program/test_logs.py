"""The engine's log is bounded and keeps what was said last."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from skerry.engine.program.logs import BoundedHandler


def test_the_log_is_cut_back_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "engine.log"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        handler = BoundedHandler(file, limit=2000)
        for number in range(100):
            handler.emit(logging.LogRecord("skerry", logging.INFO, "", 0, "line %d", (number,), None))
        handler.emit(logging.LogRecord("skerry", logging.INFO, "", 0, "x" * 2000, (), None))
        handler.emit(logging.LogRecord("skerry", logging.INFO, "", 0, "the end", (), None))
    assert file.read_text() == "the end\n"
    older = file.with_name("engine.log.1")
    assert "line 99" in older.read_text()
    assert older.stat().st_mode & 0o777 == 0o600
