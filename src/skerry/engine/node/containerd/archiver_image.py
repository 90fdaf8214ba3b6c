"""The image whose pods archive volumes: this machine's own GNU tar and what it needs, with their libraries.

There is no registry to have it from, and what archives people's data for good should be the machine's, not an app's.
The platform names the image (`platform.projects.lifecycle.archiving.copying`); on other clusters operators name theirs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from skerry.engine.node.containerd.docker_archive import Files, Image, make_image
from skerry.engine.node.containerd.failure import ContainerdError

ARCHIVER_IMAGE = "skerry.dev/archiver:1"
PROGRAMS = (
    "sh", "tar", "gzip", "sha256sum", "du", "find", "wc", "stat", "sync", "mv", "cat", "tail", "true"
)  # fmt: skip
_LIBRARY = re.compile(r"(?:=>\s*|^\s*)(/\S+) \(0x", re.MULTILINE)


def make_archiver_image(machine: str) -> Image:
    """Raises ContainerdError naming what is not installed, OSError. Blocks."""
    return make_image(ARCHIVER_IMAGE, _files(), {"Env": ["PATH=/bin"], "Cmd": ["true"]}, machine)


def _files() -> Files:
    found: dict[str, tuple[bytes, int]] = {}
    for name in PROGRAMS:
        program = shutil.which(name)
        if program is None:
            raise ContainerdError(f"no archives of volumes: {name} is not installed")
        found[f"bin/{name}"] = (Path(program).read_bytes(), 0o755)
        for library in _libraries(program):
            found.setdefault(library.lstrip("/"), (Path(library).read_bytes(), 0o755))
    return dict(sorted(found.items()))


def _libraries(program: str) -> list[str]:
    """Where the dynamic loader finds what a program is linked with; [] for one that is linked with nothing."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return _LIBRARY.findall(told.stdout)
