"""emptyDir: a directory that lives as long as the pod; on disk, or in memory with a size limit the kernel enforces."""

from __future__ import annotations

from pathlib import Path

from skerry.engine import mounts
from skerry.engine.node.errors import VolumeError
from skerry.kube.objects import Obj
from skerry.kube.quantities import bytes_of


def set_up(directory: Path, source: Obj) -> Path:
    """Make it; harmless when it is there. `sizeLimit` of a volume on disk is watched (`pressure`)."""
    medium = source.get("medium") or ""
    if medium not in ("", "Memory"):
        raise VolumeError(f"emptyDir medium {medium!r} is not supported")
    if not directory.exists():
        directory.mkdir(parents=True)
        directory.chmod(0o777)  # once: what containers make of the permissions later is theirs
    if medium == "Memory" and not directory.is_mount():
        limit = source.get("sizeLimit")
        size = f"size={bytes_of(limit)}," if limit and bytes_of(limit) else ""
        mounts.mount_tmpfs(directory, f"{size}mode=0777")
    return directory
