"""Marks what a release makes with its name: on every object, and on the pods that workloads make. Pure.

By the label anybody finds what belongs to a release, whatever its chart calls things. Selectors stay as they are.
"""

from __future__ import annotations

from skerry.kube.objects import Obj
from skerry.platform.releases.types import RELEASE_LABEL

_POD_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def labelled(obj: Obj, release: str) -> Obj:
    """A copy with the label, in its pod template as well."""
    marked = _marked(obj, release)
    path = _POD_TEMPLATES.get(str(obj.get("kind", "")))
    return _changed_at(marked, path, release) if path else marked


def _marked(obj: Obj, release: str) -> Obj:
    metadata = obj.get("metadata") or {}
    return {**obj, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), RELEASE_LABEL: release}}}


def _changed_at(obj: Obj, path: tuple[str, ...], release: str) -> Obj:
    """What is at `path` with the label, when it is there."""
    if not path:
        return _marked(obj, release)
    inner = obj.get(path[0])
    return {**obj, path[0]: _changed_at(inner, path[1:], release)} if isinstance(inner, dict) else obj
