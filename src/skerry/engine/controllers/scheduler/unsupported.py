"""What a pod may ask of a scheduler that this one cannot do: refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj


def unsupported_feature(pod: Obj) -> str:
    """The reason to leave the pod Pending, or ""."""
    spec = pod["spec"]
    for volume in spec.get("volumes") or ():
        for kind in ("persistentVolumeClaim", "ephemeral"):
            if volume.get(kind) is not None:
                return f'volume "{volume.get("name")}" is of type {kind}, which this release does not support'
    if spec.get("resourceClaims"):
        return "the pod has resourceClaims, which this release does not support"
    if any(term.get("namespaceSelector") for term in _pod_affinity_terms(spec)):
        return "the pod has an affinity term with a namespaceSelector by labels, which this release does not support"
    if spec.get("workloadRef") or spec.get("schedulingGroup"):
        return "the pod asks for gang scheduling, which this release does not support"
    return ""


def _pod_affinity_terms(spec: Obj) -> Iterable[Obj]:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from (affinity.get(kind) or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or ()
