"""An instance seen from outside: through the files it keeps in its data and run directories.

Neighbours: `engine.instance` and `engine.status` write these files; their JSON is the contract.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from skerry.cli.errors import CommandFailed, NotRunning
from skerry.kube.records import record

RUN_BASE = Path("/run/skerry")


@record
class InstanceFiles:
    """What is known about the instance in `data_dir`."""

    data_dir: Path
    instance: str

    @property
    def run_dir(self) -> Path:
        """Sockets and process ids."""
        return RUN_BASE / self.instance

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.data_dir / "kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """Where the instance's containerd listens."""
        return self.run_dir / "containerd.sock"

    @property
    def log_dir(self) -> Path:
        """The engine's and containerd's logs."""
        return self.data_dir / "log"

    def status(self) -> dict[str, Any]:
        """What the engine last said about itself, {} if it never did."""
        try:
            document = json.loads((self.data_dir / "status.json").read_text())
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def containerd_answers(self) -> bool:
        """Whether the instance's containerd takes connections: what it runs may have outlived the engine."""
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(self.containerd_socket)) == 0

    def engine_pid(self) -> int | None:
        """The engine's process if it runs. The start time kept beside it tells it from a later one of that number."""
        try:
            pid, started = (self.run_dir / "engine.pid").read_text().split()[:2]
        except (OSError, ValueError):
            return None
        return int(pid) if process_start(int(pid)) == started else None


def process_start(pid: int) -> str | None:
    """When a process started, in clock ticks since boot (proc(5), field 22); None if there is none, or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def find_instance(data_dir: Path) -> InstanceFiles | None:
    """The instance in a data directory, None if there is none there."""
    data_dir = data_dir.resolve()
    try:
        identity = json.loads((data_dir / "instance.json").read_text())
        return InstanceFiles(data_dir, str(identity["instance"]))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise CommandFailed(f"{data_dir} belongs to another user: run as root, for example with sudo") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandFailed(f"{data_dir / 'instance.json'} cannot be read: {error}") from None


def need_instance(data_dir: Path) -> InstanceFiles:
    """The instance in a data directory. Raises NotRunning."""
    found = find_instance(data_dir)
    if found is None:
        raise NotRunning(f"there is no instance in {data_dir}: start one with `skerry up`")
    return found


def need_running(data_dir: Path) -> InstanceFiles:
    """The instance in a data directory, its engine running. Raises NotRunning."""
    found = need_instance(data_dir)
    if found.engine_pid() is None:
        raise NotRunning(f"the instance in {data_dir} is not running: start it with `skerry up`")
    return found
