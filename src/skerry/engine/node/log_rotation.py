"""Keeps container logs small: at 10 MiB a log is renamed and the runtime opens a new one; five files are kept.

Source of the behaviour: the kubelet's `pkg/kubelet/logs/container_log_manager.go`. Rotated files are called
`<n>.log.<time>`, so that their names sort by age.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from skerry.engine.node.cri.client import CriClient, CriError

log = logging.getLogger(__name__)

LARGEST, KEPT_FILES = 10 * 1024 * 1024, 5


async def rotate(cri: CriClient, container_id: str, path: Path, now: datetime, largest: int = LARGEST) -> bool:
    """Rotate one running container's log if it is larger than `largest` bytes; whether it was."""
    try:
        if path.stat().st_size <= largest:
            return False
    except OSError:
        return False
    rotated = path.with_name(f"{path.name}.{now:%Y%m%d-%H%M%S}")
    path.rename(rotated)
    try:
        await cri.reopen_container_log(container_id)
    except CriError as error:
        log.warning("log %s not rotated: %s", path, error)
        rotated.rename(path)
        return False
    for old in rotated_files(path)[: -(KEPT_FILES - 1)]:
        old.unlink(missing_ok=True)
    return True


def rotated_files(path: Path) -> list[Path]:
    """The rotated files of a log, oldest first."""
    return sorted(path.parent.glob(f"{path.name}.*")) if path.parent.exists() else []


def remove_logs(path: Path) -> None:
    """Remove a log and its rotated files."""
    for file in (path, *rotated_files(path)):
        file.unlink(missing_ok=True)
