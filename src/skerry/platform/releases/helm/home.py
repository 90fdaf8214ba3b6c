"""The directory in which Helm works for one platform process: private, shared by all its runs, removed at the end.

It holds the plug-in by which we see manifests, charts by their digest, and a directory for each run.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

import orjson

from skerry.kube.objects import Obj
from skerry.platform.base.leashing import QUICK
from skerry.platform.base.private_directories import PrivateDirectory
from skerry.platform.releases.helm.rendering import HANDS_OVER, PLACE

_MEMORY = "400MiB"
"""Soft: Go collects its garbage harder near it."""


class Home:
    """Made when it is first used."""

    @cached_property
    def _directory(self) -> PrivateDirectory:
        made = PrivateDirectory("releases")
        for name in ("home", "jobs", "charts", "plugins/skerry"):
            (made.path / name).mkdir(parents=True)
        script = made.path / "plugins/skerry/hand-over.sh"
        script.write_text(HANDS_OVER)
        (made.path / "plugins/skerry/plugin.yaml").write_bytes(orjson.dumps(_plugin(script)))
        return made

    @property
    def path(self) -> Path:
        """Readable by us only."""
        return self._directory.path

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
            PLACE: str(job / "rendering"),
            "PATH": "/usr/bin:/bin",
            **QUICK,
            "GOMEMLIMIT": _MEMORY,
            "KUBECACHEDIR": os.devnull,  # before Helm asks what the API serves it forgets what it had kept of that
        }

    def remove(self) -> None:
        """All of it."""
        if "_directory" in self.__dict__:
            self._directory.remove()
            del self.__dict__["_directory"]


def _plugin(script: Path) -> Obj:
    return {
        "apiVersion": "v1",
        "type": "postrenderer/v1",
        "name": "skerry",
        "version": "1.0.0",
        "runtime": "subprocess",
        "runtimeConfig": {"platformCommand": [{"command": "/bin/sh", "args": [str(script)]}]},
    }
