"""`/version`: which Kubernetes this server behaves like."""

from __future__ import annotations

import platform

import skerry
from skerry.kube.objects import Obj

MAJOR, MINOR = "1", "36"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def version() -> Obj:
    """`apimachinery/pkg/version.Info`."""
    machine = platform.machine()
    return {
        "major": MAJOR,
        "minor": MINOR,
        "gitVersion": f"v{MAJOR}.{MINOR}.0+skerry{skerry.__version__}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": f"linux/{_ARCHITECTURES.get(machine, machine)}",
    }
