"""How answers look: tables for people, JSON and YAML for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click


def print_document(document: Any, output: str) -> None:
    """Print as JSON or YAML; of objects of Kubernetes without who manages which field, as kubectl does."""
    document = _without_managers(document)
    if output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(document, sort_keys=False), nl=False)
    else:
        click.echo(json.dumps(document, indent=2))


def _without_managers(document: Any) -> Any:
    if isinstance(document, list):
        return [_without_managers(one) for one in document]
    if not isinstance(document, dict):
        return document
    plain = {key: _without_managers(value) for key, value in document.items()}
    if isinstance(plain.get("metadata"), dict):
        plain["metadata"].pop("managedFields", None)
    return plain


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their longest cell, three spaces apart, as kubectl prints them."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values, the values aligned."""
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name.ljust(width)}   {value}".rstrip() for name, value in rows)


def step(name: str, seconds: float) -> None:
    """One finished step with its time."""
    click.echo(f"  {name:<44} {seconds:6.2f} s")


def live(text: str) -> None:
    """What goes on, on a terminal only; "" takes it away."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
