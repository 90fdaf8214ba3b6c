"""This machine's own Python in a pod, which sees it where it is here: for servers that busybox cannot be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.images import BUSYBOX

HEALTH_SERVER = Path(__file__).resolve().with_name("health_server.py")
"""Never imported: a process takes the messages of gRPC's health service once, and the engine brings its own."""


def python_container(script: Path, *arguments: str, sees: Sequence[Path] = (), **more: Any) -> tuple[Any, Any]:
    """A container that runs `script`, and the volumes that its pod needs. `sees`: further files or folders."""
    seen = {"/usr": "/usr", "/lib": "/usr/lib", "/lib64": "/usr/lib64"}
    seen |= {str(path): str(path) for path in (script.parent, *sees, Path(sys.prefix), Path(sys.base_prefix))}
    mounts = [{"name": f"v{number}", "mountPath": path, "readOnly": True} for number, path in enumerate(seen)]
    volumes = [{"name": f"v{number}", "hostPath": {"path": path}} for number, path in enumerate(seen.values())]
    command = [sys.executable, "-I", str(script), *arguments]
    return {"name": "main", "image": BUSYBOX, "command": command, "volumeMounts": mounts, **more}, volumes
