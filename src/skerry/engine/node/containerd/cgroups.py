"""The cgroups of this instance's pods, in every hierarchy: killing what is in them and removing them.

Pods live below `EngineConfig.cgroup`; containerd removes containers' cgroups but never their parents. Works on cgroup
v1 (one directory per controller) and v2 (one for all). Source: cgroups(7).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from skerry.engine.mounts import Mount, current_mounts
from skerry.engine.node.containerd.processes import kill_and_wait


def hierarchies(mounts: Sequence[Mount] | None = None) -> list[Path]:
    """Where cgroup hierarchies are mounted, v1 and v2, as this process sees them."""
    seen = current_mounts() if mounts is None else mounts
    return sorted({mount.point for mount in seen if mount.fstype in ("cgroup", "cgroup2")})


def directories(cgroup: str, roots: Iterable[Path] | None = None) -> list[Path]:
    """Every directory of the instance's cgroup tree in all hierarchies, each after those below it."""
    found: list[Path] = []
    for root in hierarchies() if roots is None else roots:
        # os.walk knows directories from the listing; asking for the type of each of the many files takes seconds
        walk = os.walk(root / cgroup.lstrip("/"), topdown=False)
        found += [Path(directory) for directory, _names, _files in walk]
    return found


def members(cgroup: str, roots: Iterable[Path] | None = None) -> set[int]:
    """Process ids in the tree."""
    pids: set[int] = set()
    for directory in directories(cgroup, roots):
        with contextlib.suppress(OSError):
            pids.update(int(word) for word in (directory / "cgroup.procs").read_text().split())
    return pids - {0}  # 0 is a process of another pid namespace


def kill_members(cgroup: str) -> list[int]:
    """Kill until nobody is left, because a process may fork while it is being killed. Returns who would not go."""
    for _ in range(5):
        pids = members(cgroup)
        if not pids:
            return []
        kill_and_wait(sorted(pids))
    return sorted(members(cgroup))


def remove(cgroup: str) -> list[Path]:
    """Remove the empty tree in all hierarchies; returns what could not be removed (somebody is in it)."""
    left = []
    for directory in directories(cgroup):
        try:
            directory.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            left.append(directory)
    return left
