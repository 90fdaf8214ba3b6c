"""The table's numbers are short, its columns straight, and the file says the same."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.results import HEADINGS, Row, line, show, write


def test_a_row_is_shown_below_the_headings() -> None:
    shown = [line(*HEADINGS), show(Row("GET", 9123.4, "/s", 17000.2, 9000)), show(Row("start", 0.9876, "s", None, 1.0))]
    assert [text.split() for text in shown] == [
        ["name", "value", "unit", "floor", "target"],
        ["GET", "9,123", "/s", "17,000", "9,000"],
        ["start", "0.988", "s", "-", "1"],
    ]
    assert len({len(text) for text in shown}) == 1


def test_the_file_has_every_row_by_name(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    write([Row("GET", 9123.4, "/s", None, 9000)], path)
    assert json.loads(path.read_text()) == {"GET": {"value": 9123.4, "unit": "/s", "floor": None, "target": 9000}}
