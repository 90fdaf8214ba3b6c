"""What a pod's volumes hold that live and end with it: emptyDir and files from the API. Measured when asked for.

Source: kubelet `pkg/kubelet/server/stats/volume_stat_calculator.go`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.mounts import Mount
from skerry.engine.node.access.volume_reports import VolumeFacts
from skerry.engine.node.pressure.measuring import size


def local_volumes(pods: Path, pod: tuple[str, str], known: Sequence[str]) -> list[VolumeFacts]:
    """What a pod (its namespace and uid) has below `pods` besides the volumes `known` by name. Blocks, and touches no
    mount but tmpfs: a file system of a server that is gone would not answer."""
    namespace, uid = pod
    directory = pods / uid / "volumes"
    try:
        names = sorted(
            name for name in set(os.listdir(directory)) - set(known) if "~" not in name
        )  # `mounting` has those
    except OSError:
        return []
    mounted = [one for one in mounts.current_mounts() if directory in one.point.parents]
    found = []
    for name in names:
        there = [one for one in mounted if one.point == directory / name or directory / name in one.point.parents]
        if all(one.fstype == "tmpfs" and one.point == directory / name for one in there):
            found.append(_measured(VolumeFacts(namespace, uid, name), directory / name, there))
    return found


def _measured(volume: VolumeFacts, path: Path, mounted: Sequence[Mount]) -> VolumeFacts:
    fs = os.statvfs(path)
    in_memory = bool(mounted)
    return VolumeFacts(
        volume.namespace,
        volume.pod_uid,
        volume.name,
        capacity=fs.f_blocks * fs.f_frsize,
        available=fs.f_bavail * fs.f_frsize,
        used=(fs.f_blocks - fs.f_bfree) * fs.f_frsize if in_memory else size(path),
        inodes=fs.f_files,
        inodes_free=fs.f_ffree,
        inodes_used=fs.f_files - fs.f_ffree if in_memory else _entries(path),
    )


def _entries(path: Path) -> int:
    return 1 + sum(len(folders) + len(files) for _, folders, files in os.walk(path))
