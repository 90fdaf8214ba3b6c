"""Where the programs are that Skerry is set up with (kubectl, Helm, Docker Compose): beside Python, by `make setup`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def find_program(name: str) -> str | None:
    """The program beside the Python that runs us, else in PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
