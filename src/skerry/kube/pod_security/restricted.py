"""What the level restricted asks for beyond baseline: the current practice of hardening pods.

Source: the Pod Security Standards, and Kubernetes' `pod-security-admission/policy/check_*.go`, whose words these are.
"""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.objects import Obj
from skerry.kube.pod_security.baseline import added_capabilities, profile_of, seccomp_profile
from skerry.kube.pod_security.findings import (
    Check,
    Finding,
    containers,
    containers_of,
    in_user_namespace,
    on_windows,
    plural,
    quoted,
    security_of,
    setters,
)

_VOLUMES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
)  # fmt: skip
_OTHER_VOLUMES = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd",
    "flexVolume", "cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk",
    "photonPersistentDisk", "portworxVolume", "scaleIO", "storageos", "image",
)  # fmt: skip


def _not_for_windows(check: Check) -> Check:
    def exempt(metadata: Obj, spec: Obj) -> Finding | None:
        return None if on_windows(spec) else check(metadata, spec)

    return exempt


def _not_in_user_namespaces(check: Check) -> Check:
    def exempt(metadata: Obj, spec: Obj) -> Finding | None:
        return None if in_user_namespace(spec) else check(metadata, spec)

    return exempt


def privilege_escalation(_: Obj, spec: Obj) -> Finding | None:
    """Processes get no more rights than their parents."""
    bad = [
        each["name"] for each in containers_of(spec) if security_of(each).get("allowPrivilegeEscalation") is not False
    ]
    text = "must set securityContext.allowPrivilegeEscalation=false"
    return Finding("allowPrivilegeEscalation != false", f"{containers(bad)} {text}") if bad else None


def capabilities(_: Obj, spec: Obj) -> Finding | None:
    """All dropped, none added but NET_BIND_SERVICE."""
    reason, details = "unrestricted capabilities", []
    keeping = [
        each["name"]
        for each in containers_of(spec)
        if "ALL" not in ((security_of(each).get("capabilities") or {}).get("drop") or ())
    ]
    if keeping:
        details.append(f'{containers(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if added := added_capabilities(spec, ("NET_BIND_SERVICE",), reason):
        details.append(added.detail)
    return Finding(reason, "; ".join(details)) if details else None


def volumes(_: Obj, spec: Obj) -> Finding | None:
    """Only volumes of the API's own and claims."""
    bad = {}
    for volume in spec.get("volumes") or ():
        if not any(volume.get(kind) is not None for kind in _VOLUMES):
            bad[volume["name"]] = next((kind for kind in _OTHER_VOLUMES if volume.get(kind) is not None), "unknown")
    if not bad:
        return None
    kinds, words = sorted(set(bad.values())), plural("uses", "use", len(bad))
    types = plural("restricted volume type", "restricted volume types", len(kinds))
    named = f"{plural('volume', 'volumes', len(bad))} {quoted(bad)}"
    return Finding("restricted volume types", f"{named} {words} {types} {quoted(kinds)}")


def run_as_non_root(_: Obj, spec: Obj) -> Finding | None:
    """Never as root: said, not hoped for."""
    reason = "runAsNonRoot != true"
    if who := setters(spec, lambda each: each.get("runAsNonRoot") is False):
        return Finding(reason, f"{who} must not set securityContext.runAsNonRoot=false")
    if security_of(spec).get("runAsNonRoot"):
        return None
    bad = [each["name"] for each in containers_of(spec) if security_of(each).get("runAsNonRoot") is None]
    return Finding(reason, f"pod or {containers(bad)} must set securityContext.runAsNonRoot=true") if bad else None


def run_as_user(_: Obj, spec: Obj) -> Finding | None:
    """Not user 0."""
    who = setters(spec, lambda each: each.get("runAsUser") == 0)
    return Finding("runAsUser=0", f"{who} must not set runAsUser=0") if who else None


def seccomp(metadata: Obj, spec: Obj) -> Finding | None:
    """A profile for every container."""
    if (wrong := seccomp_profile(metadata, spec)) is not None:
        return wrong
    if profile_of(security_of(spec)) is not None:
        return None
    bad = [each["name"] for each in containers_of(spec) if profile_of(security_of(each)) is None]
    text = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Finding("seccompProfile", f"pod or {containers(bad)} {text}") if bad else None


CHECKS: Mapping[str, Mapping[int, Check]] = {
    "allowPrivilegeEscalation": {8: privilege_escalation, 25: _not_for_windows(privilege_escalation)},
    "capabilities_restricted": {22: capabilities, 25: _not_for_windows(capabilities)},
    "restrictedVolumes": {0: volumes},
    "runAsNonRoot": {0: run_as_non_root, 35: _not_in_user_namespaces(run_as_non_root)},
    "runAsUser": {23: run_as_user, 35: _not_in_user_namespaces(run_as_user)},
    "seccompProfile_restricted": {19: seccomp, 25: _not_for_windows(seccomp)},
}
"""By name, in order: from which minor version on which form of the check holds."""
REPLACED: Mapping[str, str] = {
    "capabilities_baseline": "capabilities_restricted",
    "hostPathVolumes": "restrictedVolumes",
    "seccompProfile_baseline": "seccompProfile_restricted",
}
"""Checks of baseline that say nothing more where the check of restricted is made."""
