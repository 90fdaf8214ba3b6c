"""The process to run for an exec: the container's own, with another command.

User, groups, environment, directory, capabilities, seccomp and limits come from the container, so an exec can never do
more than the container may. Source: OCI runtime specification, `process`; containerd's CRI (`container_execsync.go`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_TERM = "TERM=xterm"


def exec_process(container_spec: bytes, command: Sequence[str], tty: bool) -> bytes:
    """The `process` as JSON, from the container's OCI spec as JSON. Raises ValueError for a spec without one."""
    spec: dict[str, Any] = json.loads(container_spec)
    if not isinstance(spec.get("process"), dict):
        raise ValueError("the container's specification has no process")
    process = {**spec["process"], "args": list(command), "terminal": tty}
    process.pop("consoleSize", None)
    process.pop("commandLine", None)
    if tty:
        process["env"] = [entry for entry in process.get("env") or () if not entry.startswith("TERM=")] + [_TERM]
    return json.dumps(process).encode()
