"""The checks of the level baseline: no known way to get more privileges.

Source: the Pod Security Standards, and Kubernetes' `pod-security-admission/policy/check_*.go`, whose words these are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from skerry.kube.objects import Obj
from skerry.kube.pod_security.findings import (
    Check,
    Finding,
    containers,
    containers_of,
    in_user_namespace,
    plural,
    quoted,
    security_of,
    setters,
)

_CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_PROFILES = ("RuntimeDefault", "Localhost")
_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
})  # fmt: skip
_SYSCTLS_27 = _SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
_SYSCTLS_29 = _SYSCTLS_27 | {
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip
_SYSCTLS_32 = _SYSCTLS_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}


def app_armor_profile(metadata: Obj, spec: Obj) -> Finding | None:
    """Only the runtime's profile or one of the host's."""

    def profile(security: Obj) -> str:
        return str((security.get("appArmorProfile") or {}).get("type") or "RuntimeDefault")

    found = [text] if (text := setters(spec, lambda each: profile(each) not in _PROFILES)) else []
    holders = (spec, *containers_of(spec))
    values = sorted({kind for each in holders if (kind := profile(security_of(each))) not in _PROFILES})
    annotations = sorted((metadata.get("annotations") or {}).items())
    marks = [
        f'{key}="{value}"'
        for key, value in annotations
        if key.startswith(_APPARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/")
    ]
    if marks:
        found.append(plural("annotation", "annotations", len(marks)))
        values += marks
    if not found:
        return None
    reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", len(values))
    return Finding(reason, f"{' and '.join(found)} must not set AppArmor profile type to {quoted(values)}")


def capabilities(_: Obj, spec: Obj) -> Finding | None:
    """No capabilities beyond those containers have anyway."""
    return added_capabilities(spec, _CAPABILITIES, "non-default capabilities")


def added_capabilities(spec: Obj, allowed: Iterable[str], reason: str) -> Finding | None:
    """Capabilities added that are not allowed."""
    bad: dict[str, set[str]] = {}
    for container in containers_of(spec):
        given = (security_of(container).get("capabilities") or {}).get("add") or ()
        if more := set(given) - set(allowed):
            bad[container["name"]] = more
    if not bad:
        return None
    named = quoted(sorted(set().union(*bad.values())))
    return Finding(reason, f"{containers(list(bad))} must not include {named} in securityContext.capabilities.add")


def host_namespaces(_: Obj, spec: Obj) -> Finding | None:
    """Namespaces of its own."""
    shared = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return Finding("host namespaces", ", ".join(shared)) if shared else None


def host_path_volumes(_: Obj, spec: Obj) -> Finding | None:
    """Nothing of the host's files."""
    bad = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    return Finding("hostPath volumes", f"{plural('volume', 'volumes', len(bad))} {quoted(bad)}") if bad else None


def host_ports(_: Obj, spec: Obj) -> Finding | None:
    """No ports of the host."""
    bad: dict[str, set[str]] = {}
    for container in containers_of(spec):
        if ports := {str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")}:
            bad[container["name"]] = ports
    if not bad:
        return None
    taken = sorted(set().union(*bad.values()))
    words = f"{plural('uses', 'use', len(bad))} {plural('hostPort', 'hostPorts', len(taken))}"
    return Finding("hostPort", f"{containers(list(bad))} {words} {', '.join(taken)}")


def hosts_of_probes(_: Obj, spec: Obj) -> Finding | None:
    """Probes and life-cycle hooks go to the pod, not to other hosts."""
    bad = {container["name"]: hosts for container in containers_of(spec) if (hosts := set(_hosts(container)))}
    if not bad:
        return None
    reason, named = "probe or lifecycle host", sorted(set().union(*bad.values()))
    words = f"{plural('uses', 'use', len(bad))} {plural(reason, f'{reason}s', len(named))}"
    return Finding(reason, f"{containers(sorted(bad))} {words} {quoted(named)}")


def _hosts(container: Obj) -> Iterator[str]:
    hooks = (container.get("lifecycle") or {}).values()
    for handler in (*(container.get(f"{name}Probe") for name in ("liveness", "readiness", "startup")), *hooks):
        for way in ("httpGet", "tcpSocket"):
            if isinstance(handler, dict) and (host := (handler.get(way) or {}).get("host")):
                yield host


def privileged(_: Obj, spec: Obj) -> Finding | None:
    """No container that may do everything."""
    bad = [each["name"] for each in containers_of(spec) if security_of(each).get("privileged")]
    return Finding("privileged", f"{containers(bad)} must not set securityContext.privileged=true") if bad else None


def proc_mount(_: Obj, spec: Obj) -> Finding | None:
    """/proc with its masks."""
    bad = {
        each["name"]: mount
        for each in containers_of(spec)
        if (mount := security_of(each).get("procMount")) not in (None, "Default")
    }
    if not bad:
        return None
    kinds = quoted(sorted(set(bad.values())))
    return Finding("procMount", f"{containers(list(bad))} must not set securityContext.procMount to {kinds}")


def proc_mount_35(metadata: Obj, spec: Obj) -> Finding | None:
    """As before, but a pod in a user namespace may."""
    return None if in_user_namespace(spec) else proc_mount(metadata, spec)


def _se_linux(allowed: Iterable[str]) -> Check:
    types = frozenset(allowed)

    def check(_: Obj, spec: Obj) -> Finding | None:
        """Types for containers only, no user, no role."""
        given = [security_of(each).get("seLinuxOptions") or {} for each in (spec, *containers_of(spec))]
        who = setters(spec, lambda each: _is_special(each.get("seLinuxOptions") or {}, types))
        if not who:
            return None
        data = []
        if kinds := sorted({kind for each in given if (kind := each.get("type") or "") not in types}):
            data.append(f"{plural('type', 'types', len(kinds))} {quoted(kinds)}")
        data += [f"{part} may not be set" for part in ("user", "role") if any(each.get(part) for each in given)]
        return Finding("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}")

    return check


def _is_special(options: Obj, types: frozenset[str]) -> bool:
    return (options.get("type") or "") not in types or bool(options.get("user") or options.get("role"))


se_linux_options, se_linux_options_31 = _se_linux(_SELINUX_TYPES), _se_linux(_SELINUX_TYPES | {"container_engine_t"})


def seccomp_annotations(metadata: Obj, spec: Obj) -> Finding | None:
    """Before 1.19 profiles were annotations."""
    annotations = metadata.get("annotations") or {}
    keys = {_SECCOMP_POD, *(f"{_SECCOMP_CONTAINER}{each['name']}" for each in containers_of(spec))}
    bad = [f'{key}="{annotations[key]}"' for key in sorted(keys) if not _is_fine(annotations.get(key))]
    if not bad:
        return None
    return Finding("seccompProfile", f"forbidden {plural('annotation', 'annotations', len(bad))} {', '.join(bad)}")


def _is_fine(value: str | None) -> bool:
    return value in (None, "runtime/default", "docker/default") or str(value).startswith("localhost/")


def seccomp_profile(_: Obj, spec: Obj) -> Finding | None:
    """Not switched off."""
    who = setters(spec, lambda each: profile_of(each) not in (None, *_PROFILES))
    if not who:
        return None
    kinds = {str(profile_of(security_of(each))) for each in (spec, *containers_of(spec))} - {"None", *_PROFILES}
    text = f"must not set securityContext.seccompProfile.type to {quoted(sorted(kinds))}"
    return Finding("seccompProfile", f"{who} {text}")


def profile_of(security: Obj) -> str | None:
    """The type of the seccomp profile; None when none is given."""
    profile = security.get("seccompProfile")
    return None if profile is None else str(profile.get("type") or "")


def _sysctls(allowed: frozenset[str]) -> Check:
    def check(_: Obj, spec: Obj) -> Finding | None:
        """Only parameters that concern nobody else."""
        names = [each.get("name", "") for each in security_of(spec).get("sysctls") or ()]
        bad = [name for name in names if name not in allowed]
        return Finding("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


def windows_host_process(_: Obj, spec: Obj) -> Finding | None:
    """No processes of the host."""
    who = setters(spec, lambda each: bool((each.get("windowsOptions") or {}).get("hostProcess")))
    text = "must not set securityContext.windowsOptions.hostProcess=true"
    return Finding("hostProcess", f"{who} {text}") if who else None


CHECKS: Mapping[str, Mapping[int, Check]] = {
    "appArmorProfile": {0: app_armor_profile},
    "capabilities_baseline": {0: capabilities},
    "hostNamespaces": {0: host_namespaces},
    "hostPathVolumes": {0: host_path_volumes},
    "hostPorts": {0: host_ports},
    "hostProbesAndHostLifecycle": {34: hosts_of_probes},
    "privileged": {0: privileged},
    "procMount": {0: proc_mount, 35: proc_mount_35},
    "seLinuxOptions": {0: se_linux_options, 31: se_linux_options_31},
    "seccompProfile_baseline": {0: seccomp_annotations, 19: seccomp_profile},
    "sysctls": {0: _sysctls(_SYSCTLS), 27: _sysctls(_SYSCTLS_27), 29: _sysctls(_SYSCTLS_29), 32: _sysctls(_SYSCTLS_32)},
    "windowsHostProcess": {0: windows_host_process},
}
"""By name, in order: from which minor version on which form of the check holds."""
