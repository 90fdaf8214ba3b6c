"""The directory in which Helm works for one platform process: private, shared by all its runs, removed at the end.

It holds Helm's caches (what the API serves), the plug-in by which we see manifests, charts by their digest, and a
directory for each run. What an earlier process left behind when it was killed is removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from functools import cached_property
from pathlib import Path
from tempfile import gettempdir, mkdtemp

import orjson

from skerry.platform.releases.helm import stub

_PREFIX = "skerry-releases-"
_MEMORY = "400MiB"
"""Soft: Go collects its garbage harder near it."""


class Home:
    """Made when it is first used."""

    @cached_property
    def path(self) -> Path:
        """Readable by us only."""
        _sweep()
        made = Path(mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        for name in ("home", "jobs", "charts", "plugins/skerry"):
            (made / name).mkdir(parents=True)
        (made / "plugins/skerry/plugin.yaml").write_bytes(orjson.dumps(_PLUGIN))
        return made

    @property
    def jobs(self) -> Path:
        """A directory for each run."""
        return self.path / "jobs"

    @property
    def charts(self) -> Path:
        """Archives."""
        return self.path / "charts"

    def environment(self, job: Path) -> dict[str, str]:
        """All that Helm knows; nothing of ours."""
        return {
            "HOME": str(self.path / "home"),
            "HELM_PLUGINS": str(self.path / "plugins"),
            "SKERRY_RENDERING": str(job / "rendering"),
            "PATH": "/usr/bin:/bin",
            "GOGC": "400",  # it lives for half a second
            "GOMEMLIMIT": _MEMORY,
        }

    def remove(self) -> None:
        """All of it."""
        if "path" in self.__dict__:
            shutil.rmtree(self.path, ignore_errors=True)
            del self.__dict__["path"]


_PLUGIN = {
    "apiVersion": "v1",
    "type": "postrenderer/v1",
    "name": "skerry",
    "version": "1.0.0",
    "runtime": "subprocess",
    "runtimeConfig": {"platformCommand": [{"command": sys.executable, "args": ["-ISE", str(Path(stub.__file__))]}]},
}


def _sweep() -> None:
    """Directories of processes that are no more."""
    for left in Path(gettempdir()).glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if pid.isdecimal() and not Path(f"/proc/{pid}").exists() and left.stat().st_uid == os.getuid():
                shutil.rmtree(left, ignore_errors=True)
