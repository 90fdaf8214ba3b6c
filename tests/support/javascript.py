"""Node.js programs for tests, and the npm packages they use, pinned in `javascript/package-lock.json`."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.program import program_path

_SOURCES = Path(__file__).with_name("javascript")
INSTALLING = 600.0
"""Seconds that npm may take for some 150 packages: eight on a quiet machine, minutes beside everything else."""


@dataclass(frozen=True, slots=True)
class Javascript:
    """A directory with our programs and their packages."""

    directory: Path

    @classmethod
    def install(cls, directory: Path) -> Javascript:
        """Put packages, as locked, and programs into `directory`. Scripts of packages are not run."""
        for source in _SOURCES.iterdir():
            if source.is_file():
                shutil.copy(source, directory)
        command = [program_path("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=INSTALLING, check=False)
        assert done.returncode == 0, done.stderr
        return cls(directory)

    def run(self, program: str, *words: str) -> Any:
        """Run one of our programs; what it writes is JSON."""
        command = [program_path("node"), str(self.directory / program), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def command(self, package: str) -> list[str]:
        """What starts a package's program of the package's name."""
        return [program_path("node"), str(self.directory / "node_modules" / package / "bin" / package)]
