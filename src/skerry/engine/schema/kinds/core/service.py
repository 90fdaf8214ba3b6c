"""Service. Source: `SetDefaults_Service`, `ValidateService`, `ValidateServiceUpdate`.

Addresses and node ports are allocated by the API server, which also refuses those that are taken; here is what the
object alone tells.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, not_supported, required
from skerry.engine.schema.kinds.core.endpoints import check_listed_port
from skerry.engine.schema.kinds.core.service_balancing import (
    check_balancing,
    check_balancing_kept,
    check_status,
    default_status,
    needs_health_check,
)
from skerry.engine.schema.kinds.core.service_families import HEADLESS, check_families
from skerry.engine.schema.metadata import validate_labels
from skerry.engine.schema.pods.probes import check_port
from skerry.engine.schema.pods.validation import NOT_AN_IP, is_ip
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_POLICIES = ("Cluster", "Local")
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
_BY_TYPE = (
    (("ClusterIP", *_WITH_NODE_PORTS), ("internalTrafficPolicy",)),
    (_WITH_NODE_PORTS, ("externalTrafficPolicy",)),
    (("LoadBalancer",), ("healthCheckNodePort", "allocateLoadBalancerNodePorts", "loadBalancerClass")),
)
"""Types of services, and what only they have; addresses and node ports are admission's matter."""
_DEFAULT_STICKINESS = 10800
"""Seconds a client stays on a pod with sessionAffinity ClientIP."""


class ServiceStrategy(UncountedStrategy):
    """Types, ports and what they forbid one another."""

    def default(self, obj: Obj) -> None:
        """Type, affinity, policies, protocols and target ports."""
        _default_spec(obj.setdefault("spec", {}))

    def initial_status(self, obj: Obj) -> None:
        """No address from outside yet."""
        obj["status"] = {"loadBalancer": {}}

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """Carry over addresses and node ports a client that replaces the object left out; let go of policies that a new
        type has no use for, where the client has just left them as they were."""
        super().prepare_update(new, old)
        if old["spec"]["type"] == "LoadBalancer" and new["spec"].get("type") != "LoadBalancer":
            new["status"] = {**new["status"], "loadBalancer": {}}
        _drop_left_over(new["spec"], old["spec"])
        _keep_allocated(new["spec"], old["spec"])

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """An address without a mode is one that packets carry."""
        super().prepare_status(new, old)
        default_status(new)

    def validate(self, obj: Obj) -> list[Cause]:
        """Rules on the spec."""
        return [*_check_spec(obj.get("spec") or {}), *check_balancing(obj)]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Addresses stay while the service has one; rules on the status."""
        kept = (*_check_address_kept(new["spec"], old["spec"]), *check_balancing_kept(new["spec"], old["spec"]))
        return [*kept, *check_status(new)]


def _default_spec(spec: Obj) -> None:
    set_default(spec, "sessionAffinity", "None")
    set_default(spec, "type", "ClusterIP")
    if spec["sessionAffinity"] == "ClientIP":
        stickiness = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        set_default(stickiness, "timeoutSeconds", _DEFAULT_STICKINESS)
    elif spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    for port in spec.get("ports") or ():
        set_default(port, "protocol", "TCP")
        if port.get("targetPort") in (None, 0, "") and "port" in port:
            port["targetPort"] = port["port"]
    if spec["type"] != "ExternalName":
        set_default(spec, "internalTrafficPolicy", "Cluster")
    if spec["type"] in _WITH_NODE_PORTS:
        set_default(spec, "externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        set_default(spec, "allocateLoadBalancerNodePorts", True)


def _drop_left_over(new: Obj, old: Obj) -> None:
    """Source: Kubernetes' `dropTypeDependentFields`."""
    for types, fields in _BY_TYPE:
        if old["type"] in types and new["type"] not in types:
            for field in fields:
                if new.get(field) == old.get(field):
                    new.pop(field, None)
    if needs_health_check(old) and not needs_health_check(new) and _same_health_port(new, old):
        new.pop("healthCheckNodePort", None)


def keep_addresses(new: Obj, old: Obj) -> None:
    """Who leaves the addresses out keeps them; who changes `clusterIP` does not have to know of `clusterIPs`."""
    if not old.get("clusterIP"):
        return
    if not new.get("clusterIP"):
        new["clusterIP"] = old["clusterIP"]
    if new["clusterIP"] != old["clusterIP"]:
        if new.get("clusterIPs") == old.get("clusterIPs"):
            new["clusterIPs"] = [new["clusterIP"]]
    elif not new.get("clusterIPs") and old.get("clusterIPs"):
        new["clusterIPs"] = old["clusterIPs"]


def _same_health_port(new: Obj, old: Obj) -> bool:
    return bool(new.get("healthCheckNodePort") == old.get("healthCheckNodePort"))


def _keep_allocated(new: Obj, old: Obj) -> None:
    if new["type"] == "ExternalName" or old["type"] == "ExternalName":
        return
    keep_addresses(new, old)
    for part in ("ipFamilies", "ipFamilyPolicy"):
        if not new.get(part) and old.get(part):
            new[part] = old[part]
    if new["type"] in _WITH_NODE_PORTS and old["type"] in _WITH_NODE_PORTS:
        allocated = {(port.get("protocol"), port.get("port")): port.get("nodePort") for port in old.get("ports") or ()}
        for port in new.get("ports") or ():
            known = allocated.get((port.get("protocol"), port.get("port")))
            if known and not port.get("nodePort"):
                port["nodePort"] = known


def _check_spec(spec: Obj) -> Iterator[Cause]:
    kind, headless = spec.get("type"), spec.get("clusterIP") == "None"
    if kind not in TYPES:
        yield not_supported("spec.type", kind or "", TYPES)
    if kind == "ExternalName":
        yield from _check_external_name(spec)
    elif not spec.get("ports") and not headless:
        yield required("spec.ports")
    if kind in _WITH_NODE_PORTS and headless:
        yield invalid("spec.clusterIP", "None", f"may not be set to 'None' for {kind} services")
    yield from _check_ports(spec, kind or "")
    yield from validate_labels(spec.get("selector") or {}, "spec.selector")
    yield from _check_affinity(spec)
    yield from _check_policies(spec, kind or "")
    yield from _check_addresses(spec)


def _check_external_name(spec: Obj) -> Iterator[Cause]:
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        yield required("spec.externalName")
    elif complaint := names.subdomain(name):
        yield invalid("spec.externalName", spec["externalName"], complaint)
    for part in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(part):
            yield forbidden(f"spec.{part}", "may not be set when `type` is 'ExternalName'")


def _check_ports(spec: Obj, kind: str) -> Iterator[Cause]:
    ports = spec.get("ports") or []
    seen_names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        field = f"spec.ports[{index}]"
        yield from _check_port(port, field, named=len(ports) > 1, node_ports=kind in _WITH_NODE_PORTS)
        name, place = port.get("name") or "", (port.get("protocol", ""), port.get("port", 0))
        if name and name in seen_names:
            yield duplicate(f"{field}.name", name)
        if place in seen:
            yield duplicate(field, {"port": place[1], "protocol": place[0]})
        seen_names.add(name)
        seen.add(place)


def _check_port(port: Obj, field: str, *, named: bool, node_ports: bool) -> Iterator[Cause]:
    yield from check_listed_port(port, field, named=named)
    yield from check_port(port.get("targetPort", 0), f"{field}.targetPort")
    if port.get("nodePort") and not node_ports:
        yield forbidden(f"{field}.nodePort", "may not be used when `type` is 'ClusterIP'")


def _check_affinity(spec: Obj) -> Iterator[Cause]:
    affinity = spec.get("sessionAffinity")
    if affinity not in ("None", "ClientIP"):
        yield not_supported("spec.sessionAffinity", affinity or "", ("ClientIP", "None"))
    timeout = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if affinity == "ClientIP" and not 0 < (timeout or 0) <= 86400:
        field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        yield invalid(field, timeout or 0, "must be greater than 0 and less than 86400")


def _check_policies(spec: Obj, kind: str) -> Iterator[Cause]:
    external, internal = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    if external and kind not in _WITH_NODE_PORTS and not spec.get("externalIPs"):
        yield invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services")
    elif external and external not in _POLICIES:
        yield not_supported("spec.externalTrafficPolicy", external, _POLICIES)
    if internal and internal not in _POLICIES:
        yield not_supported("spec.internalTrafficPolicy", internal, _POLICIES)


def _check_addresses(spec: Obj) -> Iterator[Cause]:
    address = spec.get("clusterIP")
    if address and address != HEADLESS and not is_ip(address):
        yield invalid("spec.clusterIPs[0]", address, NOT_AN_IP)
    elif spec.get("type") != "ExternalName":
        yield from check_families(spec)
    for index, external in enumerate(spec.get("externalIPs") or ()):
        if not is_ip(external):
            yield invalid(f"spec.externalIPs[{index}]", external, NOT_AN_IP)


def _check_address_kept(new: Obj, old: Obj) -> Iterator[Cause]:
    if "ExternalName" in (new.get("type"), old.get("type")):
        return
    if old.get("clusterIP") and new.get("clusterIP") != old["clusterIP"]:
        yield invalid("spec.clusterIPs[0]", new.get("clusterIPs") or [], "may not change once set")
    was, now = old.get("ipFamilies") or [], new.get("ipFamilies") or []
    if was and now and was[0] != now[0]:
        yield invalid("spec.ipFamilies[0]", now[0], "may not change once set")
