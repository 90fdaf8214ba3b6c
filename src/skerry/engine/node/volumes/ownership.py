"""fsGroup: a volume's files belong to the pod's group, which may read and write them, and new files inherit it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_SETGID, _GROUP_FILE, _GROUP_DIRECTORY = 0o2000, 0o660, 0o770


def give_to_group(root: Path, group: int) -> None:
    """Change the group of everything below `root` and give it group permissions; links are left alone."""
    for path, is_directory in _walk(root):
        os.chown(path, -1, group, follow_symlinks=False)
        mode = path.lstat().st_mode & 0o7777
        path.chmod(mode | (_GROUP_DIRECTORY | _SETGID if is_directory else _GROUP_FILE))


def _walk(root: Path) -> Iterator[tuple[Path, bool]]:
    yield root, True
    for parent, directories, files in os.walk(root):
        for names, is_directory in ((directories, True), (files, False)):
            yield from ((Path(parent, name), is_directory) for name in names if not Path(parent, name).is_symlink())
