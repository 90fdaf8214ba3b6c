"""What a benchmark gives: a row of the table, and the two ways to show all rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measurement. `floor` is None where nothing beneath us does the same work, `target` where none was set."""

    name: str
    value: float
    unit: str
    floor: float | None
    target: float | None


HEADINGS = ("name", "value", "unit", "floor", "target")


def number(value: float | None) -> str:
    """Three significant digits or whole numbers, whichever says more; "-" for None."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def line(*cells: str) -> str:
    """One line of the table: the first cell to the left, numbers to the right."""
    name, value, unit, floor, target = cells
    return f"{name:<34} {value:>9} {unit:<5} {floor:>9} {target:>9}".rstrip()


def show(row: Row) -> str:
    """A row as a line of the table."""
    return line(row.name, number(row.value), row.unit, number(row.floor), number(row.target))


def write(rows: Iterable[Row], path: Path) -> None:
    """The rows as `{name: {value, unit, floor, target}}`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {row.name: {key: value for key, value in asdict(row).items() if key != "name"} for row in rows}
    path.write_text(json.dumps(document, indent=2) + "\n")
