"""Writes a set of files so that readers see all of the old ones or all of the new ones, never a mixture.

Source of the behaviour: Kubernetes' `pkg/volume/util/atomic_writer.go`. Layout: the files are in a directory
`..<time>.<random>`, `..data` is a symbolic link to it, and each first path component is a link through `..data`.
Renaming a new link over `..data` is the one atomic step. Invariant: paths are relative and stay inside.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from skerry.engine.node.errors import VolumeError
from skerry.kube.records import record

_DATA, _NEXT_DATA = "..data", "..data_tmp"


@record
class ProjectedFile:
    """One file: content, permission bits, and whose it is (None: root's)."""

    data: bytes
    mode: int
    user: int | None = None


Payload = Mapping[str, ProjectedFile]


def write(directory: Path, payload: Payload, group: int | None = None) -> bool:
    """Make `directory` hold exactly `payload`; False when it already did. `group` owns and may read the files."""
    for path in payload:
        _check(path)
    current = _current(directory)
    if current is not None and _read(current) == _contents(payload):
        return False
    version = Path(tempfile.mkdtemp(prefix=time.strftime("..%Y_%m_%d_%H_%M_%S."), dir=directory))
    version.chmod(0o755)
    for path, file in payload.items():
        _write_file(version, path, file, group)
    _switch(directory, version.name)
    _link(directory, {PurePosixPath(path).parts[0] for path in payload})
    if current is not None:
        shutil.rmtree(current, ignore_errors=True)
    return True


def _check(path: str) -> None:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise VolumeError(f"invalid path in volume: {path!r}")


def _current(directory: Path) -> Path | None:
    """The directory `..data` points to, if any."""
    try:
        return directory / os.readlink(directory / _DATA)
    except OSError:
        return None


def _read(version: Path) -> dict[str, tuple[bytes, int]]:
    found = {}
    for parent, _, files in os.walk(version):
        for name in files:
            path = Path(parent, name)
            found[str(path.relative_to(version))] = (path.read_bytes(), path.stat().st_mode & 0o7777)
    return found


def _contents(payload: Payload) -> dict[str, tuple[bytes, int]]:
    return {str(PurePosixPath(path)): (file.data, file.mode) for path, file in payload.items()}


def _write_file(version: Path, path: str, file: ProjectedFile, group: int | None) -> None:
    target = version / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(file.data)
        if group is not None or file.user is not None:
            os.fchown(descriptor, -1 if file.user is None else file.user, -1 if group is None else group)
        os.fchmod(descriptor, file.mode)


def _switch(directory: Path, version: str) -> None:
    link = directory / _NEXT_DATA
    link.unlink(missing_ok=True)
    link.symlink_to(version)
    link.rename(directory / _DATA)


def _link(directory: Path, names: set[str]) -> None:
    """One link per first path component; links of names that are gone are removed."""
    for name in names:
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"{_DATA}/{name}")
    for entry in directory.iterdir():
        if not entry.name.startswith("..") and entry.is_symlink() and entry.name not in names:
            entry.unlink()
