"""Rules on paths inside volumes. Source: `validateLocalNonReservedPath`, `validatePathNoBacksteps`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import invalid
from skerry.kube.errors import Cause


def check_local_path(path: str, field: str) -> Iterator[Cause]:
    """A path that stays below where it starts."""
    if path.startswith("/"):
        yield invalid(field, path, "must be a relative path")
    yield from check_no_backsteps(path, field)
    if path.startswith("..") and ".." not in path.split("/"):
        yield invalid(field, path, "must not start with '..'")


def check_no_backsteps(path: str, field: str) -> Iterator[Cause]:
    """A path without ".." elements."""
    if ".." in path.split("/"):
        yield invalid(field, path, "must not contain '..'")
