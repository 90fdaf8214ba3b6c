"""A cgroup per pod, above those of its containers: the pod's share and limits, and one place to remove.

Works with cgroup v1 (a tree per controller) and v2 (one tree). Source of the behaviour: the kubelet's
`pod_container_manager_linux.go`. The runtime makes the containers' cgroups below and never removes ours.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from skerry.engine.node.spec.resources import PERIOD, PodLimits

log = logging.getLogger(__name__)

ROOT = Path("/sys/fs/cgroup")
_V2_CONTROLLERS = ("cpu", "cpuset", "memory", "pids", "io")


class PodCgroups:
    """The pods of one instance. `parent` as in `EngineConfig.cgroup`."""

    def __init__(self, parent: str, root: Path = ROOT, pids_limit: int = 0) -> None:
        self._parent = parent.strip("/")
        self._root = root
        self._pids_limit = pids_limit
        self._unified = (root / "cgroup.controllers").exists()

    def path(self, uid: str) -> str:
        """What the runtime is told as `cgroup_parent`."""
        return f"/{self._parent}/pod{uid}"

    def create(self, uid: str, limits: PodLimits) -> None:
        """Make the pod's cgroup with its limits. A controller that is missing is logged and done without."""
        wanted = self._v2_settings(limits) if self._unified else self._v1_settings(limits)
        if self._unified:
            self._delegate()
        for controller, settings in wanted.items():
            directory = self._root / controller / self._parent / f"pod{uid}"
            try:
                directory.mkdir(parents=True, exist_ok=True)
                for name, value in settings.items():
                    (directory / name).write_text(value)
            except OSError as error:
                log.warning("cgroup limits of pod %s not set in %s: %s", uid, directory, error)

    def memory_usage(self, uid: str, container_id: str = "") -> int:
        """Bytes a pod, or one container of it, uses; 0 when that is not known."""
        tree, name = ("", "memory.current") if self._unified else ("memory", "memory.usage_in_bytes")
        try:
            return int((self._root / tree / self._parent / f"pod{uid}" / container_id / name).read_text())
        except (OSError, ValueError):
            return 0

    def remove(self, uid: str) -> None:
        """Remove the pod's cgroups and what the runtime left below, or beside: what is no tree of cgroups (see
        `containerd.mount_namespace`) has plain files."""
        for tree in self._trees():
            directory = tree / self._parent / f"pod{uid}"
            if (tree / "cgroup.procs").exists():
                _remove_tree(directory)
            else:
                shutil.rmtree(directory, ignore_errors=True)

    def uids(self) -> set[str]:
        """Pods that have a cgroup in any tree."""
        found: set[str] = set()
        for tree in self._trees():
            with contextlib.suppress(OSError):
                found.update(entry.name[3:] for entry in (tree / self._parent).iterdir() if entry.name[:3] == "pod")
        return found

    def _trees(self) -> Iterator[Path]:
        if self._unified:
            yield self._root
        elif self._root.exists():
            yield from (tree for tree in self._root.iterdir() if tree.is_dir() and not tree.is_symlink())

    def _v1_settings(self, limits: PodLimits) -> dict[str, dict[str, str]]:
        settings: dict[str, dict[str, str]] = {"cpu": {"cpu.shares": str(limits.cpu_shares)}}
        if limits.cpu_quota:
            settings["cpu"] |= {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(limits.cpu_quota)}
        if limits.memory:
            settings["memory"] = {"memory.limit_in_bytes": str(limits.memory)}
        if self._pids_limit:
            settings["pids"] = {"pids.max": str(self._pids_limit)}
        return settings

    def _v2_settings(self, limits: PodLimits) -> dict[str, dict[str, str]]:
        weight = 1 + (min(max(limits.cpu_shares, 2), 262144) - 2) * 9999 // 262142
        settings = {"cpu.weight": str(weight)}
        if limits.cpu_quota:
            settings["cpu.max"] = f"{limits.cpu_quota} {PERIOD}"
        if limits.memory:
            settings["memory.max"] = str(limits.memory)
        if self._pids_limit:
            settings["pids.max"] = str(self._pids_limit)
        return {"": settings}

    def _delegate(self) -> None:
        """cgroup v2: let the controllers reach down to the pods."""
        parent = self._root / self._parent
        parent.mkdir(parents=True, exist_ok=True)
        for directory in (self._root, parent):
            for controller in _V2_CONTROLLERS:
                with contextlib.suppress(OSError):
                    (directory / "cgroup.subtree_control").write_text(f"+{controller}")


def _remove_tree(directory: Path) -> None:
    if not directory.is_dir():
        return
    for path, _, _ in os.walk(directory, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(path)
