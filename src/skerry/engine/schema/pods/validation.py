"""Rules on the pod spec as a whole and on templates. Source: `ValidatePodSpec`, `ValidatePodTemplateSpec`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.engine.schema.metadata import validate_annotations, validate_labels
from skerry.engine.schema.pods.containers import check_containers
from skerry.engine.schema.pods.ephemeral import check_ephemeral_containers
from skerry.engine.schema.pods.scheduling import check_scheduling
from skerry.engine.schema.pods.security import check_pod_security
from skerry.engine.schema.pods.volumes import check_volumes
from skerry.engine.schema.pods.whole import check_pod_resources
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

RESTART_POLICIES = ("Always", "Never", "OnFailure")
DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_NAMES = {
    "serviceAccountName": names.subdomain, "nodeName": names.subdomain, "hostname": names.label,
    "subdomain": names.label, "priorityClassName": names.subdomain, "runtimeClassName": names.subdomain,
}  # fmt: skip
_MAX_NAMESERVERS = 3
_LONGEST_HOSTNAME = 64


def check_pod_spec(spec: Obj, field: str) -> Iterator[Cause]:
    """All rules, for a spec with its defaults filled in."""
    if spec.get("volumes"):
        yield from check_volumes(spec["volumes"], f"{field}.volumes")
    yield from check_containers(spec, field)
    yield from check_pod_resources(spec, f"{field}.resources")
    if spec.get("ephemeralContainers"):
        yield from check_ephemeral_containers(spec, field)
    if spec.get("restartPolicy") not in RESTART_POLICIES:
        yield not_supported(f"{field}.restartPolicy", spec.get("restartPolicy", ""), RESTART_POLICIES)
    yield from _check_dns(spec, field)
    yield from check_scheduling(spec, field)
    yield from check_pod_security(spec, spec.get("securityContext") or {}, f"{field}.securityContext")
    for name, rule in _NAMES.items():
        if spec.get(name) and (complaint := rule(spec[name])):
            yield invalid(f"{field}.{name}", spec[name], complaint)
    yield from _check_hostname_override(spec, field)
    yield from _check_times(spec, field)
    yield from _check_hosts(spec, field)


def _check_hostname_override(spec: Obj, field: str) -> Iterator[Cause]:
    """A name of the pod's own takes neither the machine's place nor that of the full name."""
    wanted, below = spec.get("hostnameOverride"), f"{field}.hostnameOverride"
    if wanted is None:
        return
    if complaint := names.subdomain(wanted):
        yield invalid(below, wanted, complaint)
    if len(wanted) > _LONGEST_HOSTNAME:
        yield invalid(below, wanted, f"must be no more than {_LONGEST_HOSTNAME} characters")
    for other in ("hostNetwork", "setHostnameAsFQDN"):
        if spec.get(other):
            yield forbidden(below, f"may not be specified when `{other}` is true")


def _check_times(spec: Obj, field: str) -> Iterator[Cause]:
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline < 2**31:
        yield invalid(f"{field}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")


def _check_dns(spec: Obj, field: str) -> Iterator[Cause]:
    policy, config = spec.get("dnsPolicy"), spec.get("dnsConfig") or {}
    servers = config.get("nameservers") or ()
    if policy not in DNS_POLICIES:
        yield not_supported(f"{field}.dnsPolicy", policy or "", DNS_POLICIES)
    if policy == "None" and not config:
        yield required(f"{field}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    elif policy == "None" and not servers:
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{field}.dnsConfig.nameservers", why)
    if len(servers) > _MAX_NAMESERVERS:
        why = f"must not have more than {_MAX_NAMESERVERS} nameservers"
        yield invalid(f"{field}.dnsConfig.nameservers", servers, why)
    for index, server in enumerate(servers):
        if not is_ip(server):
            yield invalid(f"{field}.dnsConfig.nameservers[{index}]", server, NOT_AN_IP)


NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def is_ip(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check_hosts(spec: Obj, field: str) -> Iterator[Cause]:
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        if not is_ip(alias.get("ip") or ""):
            yield invalid(f"{field}.hostAliases[{index}].ip", alias.get("ip", ""), NOT_AN_IP)
        for hostname in alias.get("hostnames") or ():
            if complaint := names.subdomain(hostname):
                yield invalid(f"{field}.hostAliases[{index}].hostnames", hostname, complaint)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        yield invalid(
            f"{field}.shareProcessNamespace", True, "ShareProcessNamespace and HostPID cannot both be enabled"
        )
    if spec.get("hostUsers") is False and spec.get("hostNetwork"):
        yield forbidden(f"{field}.hostNetwork", "when `hostUsers` is false")


def check_template(template: Obj, field: str, restart_policies: tuple[str, ...] = ("Always",)) -> Iterator[Cause]:
    """A pod template of a controller that allows these restart policies."""
    metadata = template.get("metadata") or {}
    yield from validate_labels(metadata.get("labels") or {}, f"{field}.labels")
    yield from validate_annotations(metadata.get("annotations") or {}, f"{field}.annotations")
    spec = template.get("spec") or {}
    yield from check_pod_spec(spec, f"{field}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{field}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")
    if spec.get("restartPolicy") in RESTART_POLICIES and spec["restartPolicy"] not in restart_policies:
        yield not_supported(f"{field}.spec.restartPolicy", spec["restartPolicy"], restart_policies)
