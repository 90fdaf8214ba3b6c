"""Parts of volumes that containers may have made: subPaths, bound to a place of their own so that a container cannot
swap them for links to elsewhere, and files that are read for an environment.

Source of the behaviour: Kubernetes' `pkg/volume/util/subpath`. The path is resolved once, must stay inside the volume,
is then opened component by component without following links, and what was opened is what gets bound.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.node.errors import ConfigError

_LONGEST_FILE = 1 << 20  # characters


def bind_subpath(volume: Path, subpath: str, target: Path) -> Path:
    """Bind `volume/subpath` (made as a directory when missing) to `target`. Raises ConfigError."""
    if subpath.startswith("/") or ".." in Path(subpath).parts:
        raise ConfigError(f"subPath {subpath!r} must be relative and without '..'")
    base = volume.resolve()
    wanted = (base / subpath).resolve()
    if not wanted.is_relative_to(base):
        raise ConfigError(f"subPath {subpath!r} leads out of the volume")
    if not wanted.exists():
        _make(base, wanted)
    with _opened(base, wanted) as descriptor:
        source = f"/proc/self/fd/{descriptor}"
        if wanted.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(exist_ok=True)
        if target in mounts.at_or_below(target):
            mounts.detach(target)
        mounts.bind(source, target)
    return target


def read_inside(volume: Path, path: str) -> str | None:
    """The text of a regular file in a volume, None when there is none. Raises ConfigError."""
    base = volume.resolve()
    wanted = (base / path).resolve()
    if not wanted.is_relative_to(base):
        raise ConfigError(f"path {path!r} leads out of the volume")
    try:
        with _opened(base, wanted) as descriptor:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(f"{path!r} is not a regular file")
            with open(f"/proc/self/fd/{descriptor}", encoding="utf-8") as file:
                return file.read(_LONGEST_FILE)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path!r}: {error}") from error


def _make(base: Path, wanted: Path) -> None:
    """Directories below the volume, with the permissions of the volume itself."""
    mode = base.stat().st_mode & 0o7777
    for path in reversed((wanted, *wanted.parents)):
        if path.is_relative_to(base) and not path.exists():
            path.mkdir()
            path.chmod(mode)
            os.chown(path, base.stat().st_uid, base.stat().st_gid)


@contextmanager
def _opened(base: Path, wanted: Path) -> Iterator[int]:
    """A descriptor of `wanted`, reached from `base` without following any link."""
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(base, flags)
    try:
        for part in wanted.relative_to(base).parts:
            deeper = os.open(part, flags, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        yield descriptor
    finally:
        os.close(descriptor)
