"""PersistentVolumes without a CSI driver, and NFS exports that pods name themselves, as drivers of this room.

`local` shows a directory or device of the machine, NFS is mounted by the system's own mount(8). `hostPath` volumes are
handed on as they are. Source of the behaviour: Kubernetes' `pkg/volume/{local,hostpath,nfs}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.storage.contract import PATIENCE, Ability, Driver, Publishing, StorageError, Usage
from skerry.engine.storage.drivers.publishing import show
from skerry.engine.storage.mounting.resolving import LOCAL, NFS
from skerry.kube.threads import in_own_thread

_CHECKS: Mapping[str, Callable[[Path], bool]] = {
    "DirectoryOrCreate": Path.is_dir,
    "Directory": Path.is_dir,
    "FileOrCreate": Path.is_file,
    "File": Path.is_file,
    "Socket": Path.is_socket,
    "CharDevice": Path.is_char_device,
    "BlockDevice": Path.is_block_device,
}


def host_path(path: Path, kind: str) -> Path:
    """The path of a `hostPath` volume, checked or made by its type. Raises StorageError, OSError."""
    if not path.is_absolute() or ".." in path.parts:
        raise StorageError("INVALID_ARGUMENT", f"hostPath {str(path)!r} must be absolute and without '..'")
    if not kind:
        return path
    if kind not in _CHECKS:
        raise StorageError("INVALID_ARGUMENT", f"unknown hostPath type {kind!r}")
    if kind == "DirectoryOrCreate" and not path.exists():
        path.mkdir(parents=True, mode=0o755)
    elif kind == "FileOrCreate" and not path.exists():
        path.touch(mode=0o644)
    if not _CHECKS[kind](path):
        raise StorageError("FAILED_PRECONDITION", f"hostPath type check failed: {path} is not a {kind}")
    return path


class _Bound(Driver):
    """Taking back is the same for all: unmount, whoever is in there, and remove the empty place."""

    async def unpublish(self, handle: str, target: Path) -> None:
        """Harmless when nothing is mounted."""
        await in_own_thread(PATIENCE, take_down, target)

    async def stats(self, handle: str, path: Path) -> Usage:
        """As the file system says."""
        found = await in_own_thread(PATIENCE, os.statvfs, path)
        return Usage(
            capacity=found.f_blocks * found.f_frsize,
            used=(found.f_blocks - found.f_bfree) * found.f_frsize,
            available=found.f_bavail * found.f_frsize,
            inodes=found.f_files,
            inodes_used=found.f_files - found.f_ffree,
            inodes_free=found.f_ffree,
        )


class LocalVolumes(_Bound):
    """`local` PersistentVolumes."""

    name = LOCAL
    abilities = frozenset({Ability.BLOCK, Ability.GROUP, Ability.STATS})

    async def publish(self, publishing: Publishing) -> None:
        """Bind the directory, or the device."""
        await in_own_thread(PATIENCE, _show_local, publishing)


def _show_local(publishing: Publishing) -> None:
    path = Path(publishing.handle)
    if not path.exists():
        raise StorageError("NOT_FOUND", f'path "{path}" does not exist')
    if publishing.use.block and not path.is_block_device():
        raise StorageError("FAILED_PRECONDITION", f'path "{path}" is not a block device')
    if not publishing.use.block and not path.is_dir():
        what = "a local volume of volumeMode Filesystem must be a directory: devices are not formatted here"
        raise StorageError("FAILED_PRECONDITION", f'path "{path}" is not a directory ({what})')
    show(path, publishing.target, read_only=publishing.read_only)


class NfsVolumes(_Bound):
    """NFS exports, mounted for each pod as Kubernetes does."""

    name = NFS
    abilities = frozenset({Ability.GROUP, Ability.STATS})

    async def publish(self, publishing: Publishing) -> None:
        """mount -t nfs."""
        if await in_own_thread(PATIENCE, mounts.at_or_below, publishing.target):
            return
        await in_own_thread(PATIENCE, lambda: publishing.target.mkdir(mode=0o750, exist_ok=True))
        options = [*publishing.use.mount_options, *(["ro"] if publishing.read_only else [])]
        command = ["mount", "-t", "nfs", *(["-o", ",".join(options)] if options else [])]
        await run_mount([*command, "--", publishing.handle, str(publishing.target)])


async def run_mount(command: list[str]) -> None:
    """Run mount(8); it is killed when the server does not answer. Raises StorageError with its last words."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except FileNotFoundError:
        raise StorageError("FAILED_PRECONDITION", f"{command[0]} is not installed") from None
    try:
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate()
    except TimeoutError:
        raise StorageError("DEADLINE_EXCEEDED", f"{command[-2]} did not answer within {PATIENCE:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        words = output.decode(errors="replace").strip()
        hint = "" if _knows_nfs() else " (this machine's kernel has no NFS client)"
        raise StorageError("INTERNAL", f"mount failed: {words}{hint}")


def _knows_nfs() -> bool:
    return any(line.split()[-1:] == ["nfs"] for line in Path("/proc/filesystems").read_text().splitlines())


def take_down(target: Path) -> None:
    """Detach what is mounted at a place and remove the place, harmless when there is none. Raises OSError when
    something is in the way. Asks nothing of what is mounted there, which may hang."""
    mounts.unmount_all(target)
    for remove in (target.rmdir, target.unlink):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            remove()
