"""Which Caddy there is, and how one is started: without rights, in a directory and a cgroup of the instance.

It runs as a user of its own that no other program uses, so that nobody may look into its memory, where keys are. That
user may not enter the directories above its own: Caddy reaches its files through its working directory. Source:
setpriv(1).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from skerry.engine.cgroup import Cgroup
from skerry.engine.config import EngineConfig
from skerry.engine.network.features import search_path
from skerry.engine.network.ingress.document import ADMIN_SOCKET, empty_document
from skerry.engine.network.ingress.user import user_of

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def find_caddy() -> str | None:
    """The one installed beside us, else the machine's."""
    beside = shutil.which("caddy", path=str(Path(sys.executable).parent))
    return beside or shutil.which("caddy", path=search_path())


def version_of(program: str) -> str:
    """As "2.6.2"; "" when it does not say."""
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=False, timeout=20)
    found = _VERSION.search(done.stdout)
    return ".".join(found.groups()) if found else ""


def keeps_streams(version: str) -> bool:
    """Whether WebSockets outlive a new configuration (`stream_close_delay`, from 2.7 on)."""
    return _is_from(version, 2, 7)


def hands_over(version: str) -> bool:
    """Whether a configuration can end slowly beside the next one (`shutdown_delay`, tried from 2.9 on)."""
    return _is_from(version, 2, 9)


def _is_from(version: str, *first: int) -> bool:
    found = _VERSION.fullmatch(version)
    return found is not None and (int(found[1]), int(found[2])) >= first


def directory_of(config: EngineConfig) -> Path:
    """What Caddy's user owns: its admin socket and what it stores."""
    return config.paths.run / "ingress"


def admin_socket(config: EngineConfig) -> Path:
    """Where Caddy is given its configuration."""
    return directory_of(config) / ADMIN_SOCKET


def spawn(config: EngineConfig, program: str, log: int) -> int:
    """Start Caddy with nothing to serve; its process id. `log`: a descriptor for what it says. Raises OSError."""
    directory, user = directory_of(config), user_of(config)
    _fresh_directory(directory, user)
    with os.fdopen(os.memfd_create("caddy", os.MFD_CLOEXEC), "w+b") as given:
        given.write(orjson.dumps(empty_document()))
        given.seek(0)
        process = subprocess.Popen(
            [*_without_rights(user), program, "run", "--config", "-"],
            stdin=given,
            stdout=log,
            stderr=log,
            cwd=directory,
            umask=0o077,
            start_new_session=True,
            env=_ENVIRONMENT,
        )
    process.returncode = 0  # it is not waited for here: without this, collecting the object would warn
    for entrance in cgroup_of(config).make():
        entrance.write_text(str(process.pid))
    return process.pid


def cgroup_of(config: EngineConfig) -> Cgroup:
    """Where Caddy is."""
    return Cgroup(config.cgroup, "ingress")


def _without_rights(user: int) -> Sequence[str]:
    return [
        "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs",
        "--inh-caps=-all", "--bounding-set=-all", "--",
    ]  # fmt: skip


_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/proc/self/cwd",
    "XDG_DATA_HOME": "/proc/self/cwd/data",
    "XDG_CONFIG_HOME": "/proc/self/cwd/config",
    "GOGC": "200",  # percent: what is in use is little, so that Go would collect all the time for few megabytes
}


def _fresh_directory(directory: Path, user: int) -> None:
    """Nothing of an earlier Caddy, which had the same user, is believed."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True)
    os.chown(directory, user, user)
