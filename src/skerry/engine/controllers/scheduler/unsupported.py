"""What a pod may ask of a scheduler that this one cannot do: refused by name, never ignored."""

from __future__ import annotations

from skerry.kube.objects import Obj


def unsupported_feature(pod: Obj) -> str:
    """The reason to leave the pod Pending, or ""."""
    spec = pod["spec"]
    if spec.get("resourceClaims"):
        return "the pod has resourceClaims, which this release does not support"
    if spec.get("workloadRef") or spec.get("schedulingGroup"):
        return "the pod asks for gang scheduling, which this release does not support"
    return ""
