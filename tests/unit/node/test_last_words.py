"""Termination messages from logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.engine.node.pods.last_words import _tail_of_log

TIME = "2026-01-02T03:04:05.000000000Z stdout"


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (f"{TIME} F one\n{TIME} F two\n", "one\ntwo\n"),
        (f"{TIME} F one\n{TIME} P DONE\n", "one\nDONE"),
        (f"{TIME} P DO\n{TIME} F NE\n", "DONE\n"),
        ("", ""),
    ],
)
def test_newlines_are_those_of_the_container(tmp_path: Path, log: str, message: str) -> None:
    path = tmp_path / "0.log"
    path.write_text(log)
    assert _tail_of_log(path) == message
