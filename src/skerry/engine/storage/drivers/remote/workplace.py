"""What one mounted volume has on this machine besides the mount: a directory in memory with its secrets, one on disk
for files on their way, and a cgroup for its program. All of it is found again by the volume's path alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.cgroup import Cgroup
from skerry.engine.config import EngineConfig

_MS_SHARED = 1 << 20
_FIRST_USER = 65400
"""The user id of the first instance's mounting programs. Debian reserves 65000 to 65533 and gives them to nobody."""


class Workplace:
    """Of the volume that is mounted at `point`."""

    def __init__(self, config: EngineConfig, point: Path) -> None:
        name = hashlib.sha256(os.fsencode(point)).hexdigest()[:16]
        self.user = _FIRST_USER + config.index
        self.cgroup = Cgroup(config.cgroup, f"storage/{name}")
        self.memory = config.paths.run / "storage" / name
        """A file system in memory, this process's only: nothing in it reaches a disk."""
        self.own = self.memory / "own"
        """The program's working directory. What is mounted in it is seen inside the sandbox and outside."""
        self.disk = config.paths.data / "storage" / "remote" / name

    def prepare(self, files: Mapping[str, bytes]) -> None:
        """Make it anew, with these files for nobody but the program. Raises OSError."""
        self.clear()
        for directory in (self.memory, self.disk):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mounts.mount_tmpfs(self.memory, "size=2m,mode=0700")
        for name in ("own", "root"):
            (self.memory / name).mkdir(mode=0o700)
        mounts.bind(str(self.own), self.own)
        mounts.mount("none", self.own, flags=_MS_SHARED)
        for path in (self.own, self.disk):
            os.chown(path, self.user, self.user)
        (self.own / "mnt").mkdir()
        for name, content in files.items():
            self._write(name, content)

    def log(self) -> int:
        """A descriptor for what the program says; it is in memory, so a program that says too much is not heard."""
        return os.open(self.memory / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def said(self) -> str:
        """What the program has said."""
        with contextlib.suppress(OSError):
            return (self.memory / "log").read_text(errors="replace")
        return ""

    def clear(self) -> None:
        """Remove everything; harmless when there is nothing. What was on its way is lost: it has been told."""
        for point in mounts.at_or_below(self.memory):
            mounts.unmount_all(point)
        with contextlib.suppress(FileNotFoundError):
            self.memory.rmdir()
        shutil.rmtree(self.disk, ignore_errors=True)
        self.cgroup.remove()

    def _write(self, name: str, content: bytes) -> None:
        descriptor = os.open(self.own / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchown(descriptor, self.user, self.user)
            os.fchmod(descriptor, 0o700 if name == "fusermount" else 0o600)
