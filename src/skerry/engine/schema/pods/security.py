"""Rules on security contexts. Source: `ValidateSecurityContext`, `ValidatePodSecurityContext`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.engine.schema.causes import duplicate, invalid, not_supported, required
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_PROFILE_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
_ID_RANGE = "must be between 0 and 2147483647, inclusive"
_CHANGE_POLICIES = ("Always", "OnRootMismatch")
_LONGEST_SYSCTL = 253
_SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")
_NAMESPACES = {"hostNetwork": ("net.",), "hostIPC": ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")}
"""Which sysctls are those of the namespace that a pod with this switch shares with its machine."""


def check_pod_security(spec: Obj, context: Obj, field: str) -> Iterator[Cause]:
    """Of the whole pod; `spec` is its spec."""
    yield from _check_ids(context, ("runAsUser", "runAsGroup", "fsGroup"), field)
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        if not 0 <= group < 2**31:
            yield invalid(f"{field}.supplementalGroups[{index}]", group, _ID_RANGE)
    policy = context.get("fsGroupChangePolicy")
    if policy is not None and policy not in _CHANGE_POLICIES:
        yield not_supported(f"{field}.fsGroupChangePolicy", policy, _CHANGE_POLICIES)
    yield from _check_profiles(context, field)
    yield from _check_sysctls(spec, context, f"{field}.sysctls")


def _check_sysctls(spec: Obj, context: Obj, field: str) -> Iterator[Cause]:
    """Names (`validateSysctls`), and no setting of a namespace that is the machine's (`ValidateHostSysctl`)."""
    seen: set[str] = set()
    for index, sysctl in enumerate(context.get("sysctls") or ()):
        name, below = sysctl.get("name") or "", f"{field}[{index}].name"
        if not name:
            yield required(below)
        elif len(name) > _LONGEST_SYSCTL or not _SYSCTL.fullmatch(name):
            yield invalid(
                below, name, f"must have at most {_LONGEST_SYSCTL} characters and match regex ^{_SYSCTL.pattern}$"
            )
        elif name in seen:
            yield duplicate(below, name)
        seen.add(name)
        for switch, starts in _NAMESPACES.items():
            if spec.get(switch) and name.replace("/", ".").startswith(starts):
                yield invalid(below, name, f"may not be specified when '{switch}' is true")


def check_container_security(context: Obj, field: str) -> Iterator[Cause]:
    """Of one container."""
    yield from _check_ids(context, ("runAsUser", "runAsGroup"), field)
    yield from _check_profiles(context, field)
    if context.get("procMount", "Default") not in ("Default", "Unmasked"):
        yield not_supported(f"{field}.procMount", context["procMount"], ("Default", "Unmasked"))
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            yield invalid(field, "", "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
        added = (context.get("capabilities") or {}).get("add") or ()
        if "CAP_SYS_ADMIN" in added:
            yield invalid(
                field, "", "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            )


def _check_ids(context: Obj, names: tuple[str, ...], field: str) -> Iterator[Cause]:
    for name in names:
        if not 0 <= context.get(name, 0) < 2**31:
            yield invalid(f"{field}.{name}", context[name], _ID_RANGE)


def _check_profiles(context: Obj, field: str) -> Iterator[Cause]:
    for name in ("seccompProfile", "appArmorProfile"):
        profile = context.get(name)
        if profile is None:
            continue
        kind, local = profile.get("type"), profile.get("localhostProfile")
        if not kind:
            yield required(f"{field}.{name}.type", "type is required when " + name + " is set")
        elif kind not in _PROFILE_TYPES:
            yield not_supported(f"{field}.{name}.type", kind, _PROFILE_TYPES)
        elif kind == "Localhost" and not local:
            yield required(f"{field}.{name}.localhostProfile", "must be set when seccomp type is Localhost")
        elif kind != "Localhost" and local is not None:
            yield invalid(f"{field}.{name}.localhostProfile", local, "can only be set when seccomp type is Localhost")
