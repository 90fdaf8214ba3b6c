"""What only Services of type LoadBalancer have. Source: `ValidateService`, `validateServiceExternalTrafficFieldsValue`,
`ValidateLoadBalancerStatus`."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, not_supported
from skerry.engine.schema.pods.validation import NOT_AN_IP, is_ip
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, annotations_of

_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_ONLY = "may only be used when `type` is 'LoadBalancer'"
_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_MODES = ("Proxy", "VIP")


def needs_health_check(spec: Obj) -> bool:
    """Whether balancers outside ask the node if it has endpoints of the Service."""
    return bool(spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local")


def check_balancing(obj: Obj) -> Iterator[Cause]:
    """Rules on the spec."""
    spec = obj.get("spec") or {}
    balanced = spec.get("type") == "LoadBalancer"
    yield from _check_ranges(obj, spec, balanced)
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balanced:
        yield forbidden("spec.allocateLoadBalancerNodePorts", _ONLY)
    if kind := spec.get("loadBalancerClass"):
        if not balanced:
            yield forbidden("spec.loadBalancerClass", _ONLY)
        elif complaint := names.qualified_name(kind):
            yield invalid("spec.loadBalancerClass", kind, complaint)
    port = spec.get("healthCheckNodePort") or 0
    if port and not needs_health_check(spec):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", port, why)


def check_balancing_kept(new: Obj, old: Obj) -> Iterator[Cause]:
    """What may not change while it is in use; `new` and `old` are specs."""
    if new.get("type") == old.get("type") == "LoadBalancer":
        was, now = old.get("loadBalancerClass"), new.get("loadBalancerClass")
        if was != now:
            yield invalid("spec.loadBalancerClass", now or "", "may not change once set")
    if needs_health_check(new) and needs_health_check(old):
        before, after = old.get("healthCheckNodePort"), new.get("healthCheckNodePort")
        if before and after != before:
            yield forbidden("spec.healthCheckNodePort", "field is immutable")


def default_status(obj: Obj) -> None:
    """An address is one that packets carry, unless it is said to be a proxy's."""
    for one in ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
        if one.get("ip"):
            one.setdefault("ipMode", "VIP")


def check_status(obj: Obj) -> Iterator[Cause]:
    """Rules on `status.loadBalancer`."""
    listed = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if listed and obj["spec"].get("type") != "LoadBalancer":
        yield forbidden("status.loadBalancer.ingress", 'may only be used when `spec.type` is "LoadBalancer"')
    for index, one in enumerate(listed):
        yield from _check_point(one, f"status.loadBalancer.ingress[{index}]")


def _check_point(one: Obj, field: str) -> Iterator[Cause]:
    address, mode, host = one.get("ip"), one.get("ipMode"), one.get("hostname")
    if address and not is_ip(address):
        yield invalid(f"{field}.ip", address, NOT_AN_IP)
    if mode and not address:
        yield forbidden(f"{field}.ipMode", "may not be specified when `ip` is not set")
    elif mode and mode not in _MODES:
        yield not_supported(f"{field}.ipMode", mode, _MODES)
    if host and is_ip(host):
        yield invalid(f"{field}.hostname", host, "must be a DNS name, not an IP address")
    elif host and (complaint := names.subdomain(host)):
        yield invalid(f"{field}.hostname", host, complaint)


def _check_ranges(obj: Obj, spec: Obj, balanced: bool) -> Iterator[Cause]:
    listed, annotation = spec.get("loadBalancerSourceRanges") or [], annotations_of(obj).get(_RANGES)
    if not balanced:
        if listed:
            yield forbidden("spec.loadBalancerSourceRanges", _ONLY)
        elif annotation is not None:
            yield forbidden(f"metadata.annotations[{_RANGES}]", _ONLY)
        return
    for index, one in enumerate(listed):
        if not _is_network(one.strip()):
            yield invalid(f"spec.loadBalancerSourceRanges[{index}]", one, _CIDR)
    for one in (annotation or "").split(",") if annotation and annotation.strip() and not listed else ():
        if not _is_network(one.strip()):
            yield invalid(f"metadata.annotations[{_RANGES}]", annotation, _CIDR)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text
