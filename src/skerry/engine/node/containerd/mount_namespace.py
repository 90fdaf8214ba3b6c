"""The instance's own mount namespace, kept alive by a file: everything mounted for pods is inside and goes with it.

The engine and containerd both run inside, so a containerd or an engine started anew finds the same root file systems,
volumes and network namespaces. The file cannot be seen from inside (the kernel hides it there), so `ensure` and
`release` are for processes outside; the namespace's inode number, kept beside it, tells a process whether it is inside.
On a machine with cgroup v1 and v2 together, v2 is unmounted inside: crun refuses hybrid machines. It writes its groups
there all the same, as plain files: what takes them is a file system of the namespace's own.
Source: mount_namespaces(7), unshare(1).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from skerry.engine.config import Paths
from skerry.engine.mounts import Mount, current_mounts, unmount_all

_HIDE = 'for point; do umount "$point" && mount -t tmpfs -o mode=755,size=64m skerry "$point" || exit; done'


class NamespaceError(RuntimeError):
    """The mount namespace cannot be made; the message is one line a person can act on."""


def namespace_file(paths: Paths) -> Path:
    """The file that keeps the namespace, below a private mount of its directory."""
    return paths.run / "namespace" / "mnt"


def exists(paths: Paths) -> bool:
    """Whether the namespace is there, for those outside and for those inside."""
    return inside(paths) or _is_mounted(namespace_file(paths), current_mounts())


def inside(paths: Paths) -> bool:
    """Whether this process is in the instance's namespace."""
    return holds(paths, os.getpid())


def holds(paths: Paths, pid: int) -> bool:
    """Whether a process is in the instance's namespace."""
    try:
        return _identity_file(paths).read_text() == os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return False


def ensure(paths: Paths) -> None:
    """Make the namespace if it is not there. From outside; two at once are kept apart by the caller (engine lock).

    Raises NamespaceError when the machine refuses (not root, no unshare).
    """
    file = namespace_file(paths)
    if exists(paths):
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    if not _is_mounted(file.parent, current_mounts()):
        _run("mount", "--bind", str(file.parent), str(file.parent))
    # the kernel refuses to keep a mount namespace on a mount that others receive
    _run("mount", "--make-private", str(file.parent))
    _run("unshare", f"--mount={file}", "--propagation", "slave", "--", *_preparation(current_mounts()))
    identity = _run("nsenter", f"--mount={file}", "--", "readlink", "/proc/self/ns/mnt")
    _identity_file(paths).write_text(identity)


def enter_argv(paths: Paths, *, directory: Path | None = None) -> list[str]:
    """What to put before a command so that it runs in the namespace; [] for a process that is already there.

    `directory` is the command's working directory inside (default: the root).
    """
    if inside(paths):
        return []
    return ["nsenter", f"--mount={namespace_file(paths)}", f"--wdns={directory or '/'}", "--"]


def release(paths: Paths) -> None:
    """Let the namespace go. Its mounts vanish with its last process. From outside; harmless twice and after a crash."""
    file = namespace_file(paths)
    for mounted in (file, file.parent):
        unmount_all(mounted)
    for path in (file, _identity_file(paths)):
        path.unlink(missing_ok=True)
    if file.parent.is_dir():
        file.parent.rmdir()


def second_hierarchy(mounts: list[Mount]) -> list[Path]:
    """Where cgroup v2 is mounted beside v1 controllers; [] on a machine with only one of them."""
    if not any(mount.fstype == "cgroup" for mount in mounts):
        return []
    return [mount.point for mount in mounts if mount.fstype == "cgroup2"]


def _preparation(mounts: list[Mount]) -> list[str]:
    surplus = second_hierarchy(mounts)
    return ["sh", "-c", _HIDE, "sh", *map(str, surplus)] if surplus else ["true"]


def _identity_file(paths: Paths) -> Path:
    return paths.run / "namespace.id"


def _is_mounted(point: Path, mounts: list[Mount]) -> bool:
    return any(mount.point == point for mount in mounts)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise NamespaceError(f"{command[0]} is not installed: apt-get install util-linux mount") from None
    except subprocess.CalledProcessError as error:
        raise NamespaceError(f"cannot make a mount namespace: {error.stderr.strip()} (are you root?)") from None
    return done.stdout.strip()
