"""A place for sockets: their paths end at 107 bytes, and pytest's own directories are long."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory with a short name, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="csi-") as name:
        yield Path(name)
