"""Values from a command line: files, and `--set` on top of them. Pure but for reading files."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import yaml

from skerry.cli.errors import CommandFailed, one_line

_DOT = re.compile(r"(?<!\\)\.")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def values_options(command: _Command) -> _Command:
    """`--values` and `--set`."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    with_set = click.option(
        "--set", "pairs", multiple=True, metavar="PATH=VALUE", help="One value, as YAML: resources.cpu=2; repeatable."
    )(command)
    return click.option(
        "-f", "--values", "files", multiple=True, type=file, help="A file of values; repeatable, later ones win."
    )(with_set)


def values_of(files: Sequence[Path], pairs: Sequence[str]) -> dict[str, Any]:
    """All of them in one. Raises CommandFailed, click.UsageError."""
    found: dict[str, Any] = {}
    for path in files:
        found = merged(found, _read(path))
    for pair in pairs:
        found = merged(found, _set(pair))
    return found


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """What `above` says wins, value by value."""
    both = {
        name: merged(below[name], value) if isinstance(value, dict) and isinstance(below.get(name), dict) else value
        for name, value in above.items()
    }
    return {**below, **both}


def without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """null takes out what was given before."""
    return {
        name: without_nulls(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if value is not None
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} is not YAML: {one_line(error)}") from None
    if found is not None and not isinstance(found, dict):
        raise CommandFailed(f"{path} holds no values by name")
    return found or {}


def _set(pair: str) -> dict[str, Any]:
    path, equals, text = pair.partition("=")
    if not equals or not path:
        raise click.UsageError(f"--set {pair}: write it as PATH=VALUE, such as resources.cpu=2")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise click.UsageError(f"--set {pair}: {one_line(error)}") from None
    for name in reversed(_DOT.split(path)):
        value = {name.replace("\\.", "."): value}
    return dict(value)
