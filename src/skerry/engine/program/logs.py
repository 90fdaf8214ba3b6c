"""The engine's own log: standard error, which `skerry up` points at `<data>/log/engine.log`, kept below a size."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from skerry.engine.log_files import LIMIT_BYTES, cut_back

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class BoundedHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs only
    """Writes to standard error; when about `limit` bytes have gone by, `file` is cut back if it is over the limit."""

    def __init__(self, file: Path, limit: int = LIMIT_BYTES) -> None:
        super().__init__(sys.stderr)
        self._file, self._limit = file, limit
        self._written = 0
        cut_back(file, limit)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        super().emit(record)
        self._written += 100 + len(record.getMessage())  # about what the other columns take
        if self._written > self._limit:
            self._written = 0
            cut_back(self._file, self._limit)


def set_up(file: Path) -> None:
    """Send all logging there; our own messages from INFO, others' from WARNING."""
    handler = BoundedHandler(file)
    handler.setFormatter(logging.Formatter(_FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("skerry").setLevel(logging.INFO)
