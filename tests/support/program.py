"""The whole program, as a user starts it: `skerry up --detach` in a data directory of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.waiting import LIMIT, eventually

_BIN = Path(sys.executable).parent


def program_path(name: str) -> str:
    """A program of the virtual environment, or of the PATH."""
    beside = _BIN / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed: make setup"
    return found


PATIENTLY = ("--timeout", f"{LIMIT:.0f}")
"""To `skerry up`: as much time as everything else has."""


class Program:
    """One instance in `data_dir`. `options`: more of what its engine is started with ("--audit-policy", ...);
    `platform`: whether the platform runs beside it."""

    def __init__(self, data_dir: Path, *options: str, platform: bool = False) -> None:
        self.data_dir = data_dir
        self.options = options
        self.platform = platform
        self.kubeconfig = data_dir / "kubeconfig"

    def skerry(self, *words: str, check: bool = True, timeout: float = 2 * LIMIT) -> subprocess.CompletedProcess[str]:
        """Run the command line with our data directory."""
        command = [sys.executable, "-m", "skerry.cli.main", *words, "--data-dir", str(self.data_dir)]
        return _run(command, check=check, timeout=timeout)

    def up(self) -> str:
        """Start, ready when this returns what was printed."""
        platform = [] if self.platform else ["--no-platform"]
        return self.skerry("up", "--port", "0", "--detach", *PATIENTLY, *self.options, *platform).stdout

    def down(self) -> None:
        """Stop everything, keep the state."""
        self.skerry("down")

    def kubectl(
        self, *words: str, check: bool = True, timeout: float = 2 * LIMIT, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the real kubectl against this instance."""
        command = [program_path("kubectl"), "--kubeconfig", str(self.kubeconfig), *words]
        return _run(command, check=check, timeout=timeout, stdin=stdin)

    def get(self, *words: str) -> Any:
        """`kubectl get ... -o json`, parsed."""
        return json.loads(self.kubectl("get", *words, "-o", "json").stdout)

    def apply(self, manifest: str) -> None:
        """`kubectl apply -f -`."""
        self.kubectl("apply", "-f", "-", stdin=manifest)

    def marks(self) -> list[str]:
        """What everything of this instance bears: its id, its directories, its addresses."""
        try:
            status = json.loads((self.data_dir / "status.json").read_text())
        except OSError:
            return [str(self.data_dir)]
        ranges = [one for listed in status["networks"].values() for one in listed.split(",")]
        networks = [one.partition("::")[0] if ":" in one else one.rsplit(".", 2)[0] + "." for one in ranges]
        return [str(self.data_dir), f"skerry-{status['instance']}", status["paths"]["run"], *networks]

    def ingress(self, port: str = "http") -> tuple[str, int]:
        """Address and port of the Ingress: its own port, or where that is taken its node port."""
        address = json.loads(self.skerry("status", "-o", "json").stdout)["nodePorts"].partition(":")[0]
        service = self.get("service", "ingress", "-n", "kube-system")
        (found,) = [one for one in service["spec"]["ports"] if one["name"] == port]
        given = service["status"]["loadBalancer"].get("ingress")
        return address, found["port" if given else "nodePort"]

    @property
    def run_dir(self) -> Path:
        """Where a running engine has its sockets."""
        return Path(json.loads((self.data_dir / "status.json").read_text())["paths"]["run"])

    def engine_pid(self) -> int:
        """The engine's process."""
        return int((self.run_dir / "engine.pid").read_text().split()[0])

    def containerd_pid(self) -> int:
        """Its containerd's process; 0 while there is none."""
        try:
            return int((self.run_dir / "containerd.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return 0

    def kill_engine(self) -> None:
        """End the engine as a crash would, and wait until it is gone."""
        _kill(self.engine_pid())

    def kill_containerd(self) -> None:
        """The same for its containerd, if there is one."""
        if pid := self.containerd_pid():
            _kill(pid)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid), f"the end of {pid}")


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _run(
    command: list[str], *, check: bool, timeout: float, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done
