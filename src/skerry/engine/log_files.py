"""Keeping a log below a size while another process holds it open and appends.

It is copied and cut in place; what is written between copy and cut is lost, which a log can bear and a restart of its
writer could not. Used for the engine's own log (`program.logs`) and containerd's (`node.containerd.log_file`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LIMIT_BYTES = 8 << 20


def cut_back(file: Path, limit: int = LIMIT_BYTES) -> bool:
    """Start over when `file` has grown beyond `limit` bytes, keeping one generation in `<file>.1` (0600). Whether that
    was needed; False when there is no such file. Raises OSError."""
    if not file.exists() or file.stat().st_size <= limit:
        return False
    older = file.with_name(file.name + ".1")
    shutil.copyfile(file, older)
    older.chmod(0o600)
    os.truncate(file, 0)
    return True
