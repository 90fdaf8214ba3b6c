"""hostPath: a file or directory of the machine, checked or made according to its type (`pkg/volume/hostpath`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from skerry.engine.node.errors import VolumeError
from skerry.kube.objects import Obj

_CHECKS: dict[str, tuple[Callable[[Path], bool], str]] = {
    "Directory": (Path.is_dir, "directory"),
    "DirectoryOrCreate": (Path.is_dir, "directory"),
    "File": (Path.is_file, "file"),
    "FileOrCreate": (Path.is_file, "file"),
    "Socket": (Path.is_socket, "socket file"),
    "CharDevice": (Path.is_char_device, "character device"),
    "BlockDevice": (Path.is_block_device, "block device"),
}


def set_up(source: Obj) -> Path:
    """The path, after its type's check. Raises VolumeError."""
    path, kind = Path(source["path"]), source.get("type") or ""
    if not path.is_absolute() or ".." in path.parts:
        raise VolumeError(f"hostPath {str(path)!r} must be absolute and without '..'")
    if not kind:
        return path
    if kind not in _CHECKS:
        raise VolumeError(f"unknown hostPath type {kind!r}")
    if kind.endswith("OrCreate") and not path.exists():
        _create(path, kind)
    holds, noun = _CHECKS[kind]
    if not holds(path):
        raise VolumeError(f"hostPath type check failed: {path} is not a {noun}")
    return path


def _create(path: Path, kind: str) -> None:
    try:
        if kind == "DirectoryOrCreate":
            path.mkdir(parents=True, mode=0o755)
        else:
            path.touch(mode=0o644)
    except OSError as error:
        raise VolumeError(f"hostPath cannot be created: {error}") from error
