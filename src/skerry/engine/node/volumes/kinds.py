"""Sets up one volume by its kind, or refuses the kind by name."""

from __future__ import annotations

from pathlib import Path

from skerry.engine import file_groups, mounts
from skerry.engine.node.errors import VolumeError
from skerry.engine.node.spec.security import pod_context
from skerry.engine.node.volumes import atomic, empty_dir, host_path, projection
from skerry.engine.node.volumes.projection import Known
from skerry.kube.objects import Obj


def set_up(directory: Path, volume: Obj, known: Known) -> Path:
    """Make a volume ready (again) and return where it is. Raises VolumeError, OSError."""
    group = pod_context(known.facts.pod).get("fsGroup")
    if any(volume.get(kind) is not None for kind in projection.KINDS):
        return _projected(directory, volume, known, group)
    if volume.get("hostPath") is not None:
        return host_path.set_up(volume["hostPath"])
    if volume.get("emptyDir") is not None or not set(volume) - {"name"}:
        fresh = not directory.exists()
        path = empty_dir.set_up(directory, volume.get("emptyDir") or {})
        if group is not None and fresh:
            file_groups.give_to_group(path, group)
        return path
    kind = next(iter(set(volume) - {"name"}))
    raise VolumeError(f"volume {volume['name']!r}: kind {kind} is not supported by this node")


def _projected(directory: Path, volume: Obj, known: Known, group: int | None) -> Path:
    """Files from the API. Those that may hold secrets never reach a disk."""
    payload = projection.payload_of(volume, known)
    directory.mkdir(parents=True, exist_ok=True)
    if (volume.get("secret") or volume.get("projected")) and not directory.is_mount():
        mounts.mount_tmpfs(directory, "mode=0755")
    atomic.write(directory, payload, group)
    directory.chmod(0o755)
    return directory
