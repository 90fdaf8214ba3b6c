"""Pods the node refuses before anything is made for them: what it does not support is said by name, never ignored.

Source of the behaviour: the kubelet's admit handlers: such a pod becomes Failed with a reason and a message. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.engine.node.spec.security import forbidden_sysctls, pod_context
from skerry.kube.objects import Obj

Refusal = tuple[str, str]
"""(reason, message) of the failed pod."""


def refusal(pod: Obj) -> Refusal | None:
    """Why the pod cannot run here, None when it can be tried."""
    for check in _CHECKS:
        refused = check(pod)
        if refused is not None:
            return refused
    return None


def _sysctls(pod: Obj) -> Refusal | None:
    forbidden = forbidden_sysctls(pod)
    return ("SysctlForbidden", f'forbidden sysctl: "{forbidden[0]}" not allowlisted') if forbidden else None


def _operating_system(pod: Obj) -> Refusal | None:
    wanted = (pod["spec"].get("os") or {}).get("name", "linux")
    if wanted == "linux":
        return None
    return "PodOSNotSupported", f"Failed to admit pod as the OS field doesn't match node OS: pod {wanted}, node linux"


def _groups(pod: Obj) -> Refusal | None:
    """containerd 1.6 gives a process the groups that its image's /etc/group names, always."""
    if pod_context(pod).get("supplementalGroupsPolicy") != "Strict":
        return None
    return "SupplementalGroupsPolicyNotSupported", "SupplementalGroupsPolicy=Strict is not supported in this node"


def _features(pod: Obj) -> Refusal | None:
    spec = pod["spec"]
    unsupported = {
        "hostUsers: false (user namespaces)": spec.get("hostUsers") is False,
        "resourceClaims (dynamic resource allocation)": bool(spec.get("resourceClaims")),
    }
    for feature, used in unsupported.items():
        if used:
            return "UnexpectedAdmissionError", f"this node does not support {feature}"
    return None


_CHECKS: tuple[Callable[[Obj], Refusal | None], ...] = (_sysctls, _operating_system, _groups, _features)
