"""Usage in tables, as CSV, JSON and YAML."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import click

from skerry.cli.printing import print_document, table
from skerry.kube.objects import Obj
from skerry.kube.records import record

COLUMNS = {
    "cpuHours": "CPU-HOURS",
    "memoryGibHours": "MEMORY-GIBH",
    "gpuHours": "GPU-HOURS",
    "storageGibHours": "STORAGE-GIBH",
    "cpuUsedHours": "CPU-USED",
    "egressGib": "EGRESS-GIB",
}
"""Fields of `Hours`, and their heads."""


@record
class Sheet:
    """Rows by what they are summed up by, each with the fields of `Hours`, and their sum."""

    by: str
    rows: Mapping[str, Obj]
    total: Obj
    note: str = ""


def print_sheet(sheet: Sheet, output: str) -> None:
    """`output`: table, csv, json, yaml."""
    if output == "csv":
        click.echo(_csv(sheet), nl=False)
    elif output == "table":
        click.echo(_table(sheet))
    else:
        rows = [{sheet.by: name, **row} for name, row in sheet.rows.items()]
        print_document({"usage": rows, "total": sheet.total}, output)


def _table(sheet: Sheet) -> str:
    if not sheet.rows:
        return "nothing was used in this time"
    lines = [[name or "(unknown)", *_cells(row)] for name, row in sheet.rows.items()]
    printed = table([sheet.by.upper(), *COLUMNS.values()], [*lines, ["total", *_cells(sheet.total)]])
    return f"{printed}\n{sheet.note}" if sheet.note else printed


def _cells(row: Obj) -> Sequence[str]:
    return [f"{row[field]:.2f}" for field in COLUMNS]


def _csv(sheet: Sheet) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([sheet.by, *COLUMNS])
    writer.writerows([_harmless(name), *(row[field] for field in COLUMNS)] for name, row in sheet.rows.items())
    return text.getvalue()


def _harmless(name: str) -> str:
    """A name that a spreadsheet would take for a formula is quoted for it."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@") else name
