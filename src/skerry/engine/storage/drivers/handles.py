"""Handles that become names of files. Pure."""

from __future__ import annotations

import re

from skerry.engine.storage.contract import StorageError

_HANDLE = re.compile(r"[a-z0-9]([a-z0-9._-]{0,200}[a-z0-9])?")


def checked(handle: str) -> str:
    """A handle that can be a file's name; it may come from an object that anybody wrote. Raises StorageError."""
    if not _HANDLE.fullmatch(handle) or ".." in handle:
        raise StorageError("INVALID_ARGUMENT", f"{handle[:80]!r} is no volume of this driver")
    return handle
