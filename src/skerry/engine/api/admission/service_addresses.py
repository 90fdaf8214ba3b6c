"""Addresses and node ports of Services: given out, checked, kept over updates. Free again when no Service has them.

What is taken is read from the Services there are, and from the writes that are on their way: those hold what they were
given until they are over. Source: Kubernetes' `pkg/registry/core/service/storage/alloc.go`.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import WRITES, Plugin
from skerry.engine.api.admission.service_families import set_families
from skerry.engine.config import EngineConfig
from skerry.engine.schema.kinds.core.service import keep_addresses
from skerry.engine.schema.kinds.core.service_balancing import needs_health_check
from skerry.engine.schema.kinds.core.service_families import HEADLESS, family_of
from skerry.engine.store.contract import Store
from skerry.kube.errors import Cause, InternalError, Invalid, invalid
from skerry.kube.objects import Obj, name_of

Network = IPv4Network | IPv6Network

_RESERVED_FOR_CHOICE = 256
"""The lower addresses are not given out unless the others are used up: users who choose choose there."""


def service_addresses(config: EngineConfig, store: Store) -> Plugin:
    """The plug-in. Raises Invalid for an address or port that is taken or out of range."""
    networks = {family_of(cidr): ip_network(cidr) for cidr in config.service_cidrs}
    held: dict[int, Obj] = {}
    """What writes on their way were given, by their attributes."""

    def allocate(attributes: Attributes) -> None:
        service, own = attributes.obj, id(attributes)
        if attributes.old is not None:
            keep_allocated(service, attributes.old)
        if _has_address(service["spec"]):
            service["spec"].setdefault("clusterIPs", [one for one in (service["spec"].get("clusterIP"),) if one])
            set_families(service, attributes.old, networks)
        others = [entry.shared() for entry in store.list("services") if entry.key != attributes.target.key]
        others += [on_its_way for writer, on_its_way in held.items() if writer != own]
        allocate_addresses(service, networks, _addresses(others))
        allocate_ports(service, config.node_ports, _ports(others))
        allocate_health_port(service, config.node_ports, _ports(others))
        held[own] = service
        attributes.afterwards.append(partial(held.pop, own, None))

    return Plugin("ServiceAddresses", allocate=allocate, resources=frozenset({"services"}), operations=WRITES)


def keep_allocated(new: Obj, old: Obj) -> None:
    """What an update leaves out stays; what its type has no use for goes, unless it was changed on purpose."""
    after, before = new["spec"], old["spec"]
    if _has_address(after) and _has_address(before):
        keep_addresses(after, before)
    elif not _has_address(after) and after.get("clusterIP") == before.get("clusterIP"):
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            after.pop(name, None)
    _keep_ports(after, before)
    if needs_health_check(after) and needs_health_check(before) and not after.get("healthCheckNodePort"):
        after["healthCheckNodePort"] = before.get("healthCheckNodePort", 0)


def _keep_ports(after: Obj, before: Obj) -> None:
    had = {(port.get("protocol"), port.get("port")): port.get("nodePort") for port in before.get("ports") or ()}
    for port in after.get("ports") or ():
        was = had.get((port.get("protocol"), port.get("port")))
        if _has_node_ports(after):
            if not port.get("nodePort") and was:
                port["nodePort"] = was
        elif port.get("nodePort") in set(had.values()):
            port.pop("nodePort", None)


def allocate_addresses(service: Obj, networks: Mapping[str, Network], taken: Collection[str]) -> None:
    """Fill in `clusterIP` and `clusterIPs`, one for each family the Service has. Raises Invalid, InternalError."""
    spec = service["spec"]
    if not _has_address(spec) or spec.get("clusterIP") == HEADLESS:
        return
    addresses = list(spec.get("clusterIPs") or ())
    for index, family in enumerate(spec["ipFamilies"]):
        if index < len(addresses):
            _check_address(service, addresses[index], networks[family], taken)
        else:
            addresses.append(free_address(networks[family], taken))
    spec["clusterIP"], spec["clusterIPs"] = addresses[0], addresses


def free_address(network: Network, taken: Collection[str]) -> str:
    """An address nobody has: at random in the upper part, then the first free of the lower. Raises InternalError."""
    first, last = int(network.network_address) + 1, int(network.broadcast_address) - 1
    address_type = type(network.network_address)
    lower = min(_RESERVED_FOR_CHOICE, max(16, network.num_addresses // 16), network.num_addresses // 2)
    for _ in range(16):
        address = str(address_type(random.randint(min(first + lower, last), last)))  # noqa: S311  # no secret
        if address not in taken:
            return address
    for number in (*range(first + lower, last + 1), *range(first, first + lower)):
        if (address := str(address_type(number))) not in taken:
            return address
    raise InternalError("failed to allocate a serviceIP: range is full")


def allocate_ports(service: Obj, allowed: tuple[int, int], taken: Collection[int]) -> None:
    """Fill in the node ports of a type that has them. Raises Invalid."""
    spec = service["spec"]
    if not _has_node_ports(spec):
        return
    own = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
    wanted = spec.get("type") == "NodePort" or spec.get("allocateLoadBalancerNodePorts") is not False
    for index, port in enumerate(spec.get("ports") or ()):
        if port.get("nodePort"):
            _check_port(service, index, allowed, taken)
        elif wanted:
            port["nodePort"] = _free_port(allowed, {*taken, *own})
            own.add(port["nodePort"])


def allocate_health_port(service: Obj, allowed: tuple[int, int], taken: Collection[int]) -> None:
    """Fill in `healthCheckNodePort` where balancers are to ask for the Service's health. Raises Invalid, InternalError.

    An update that asks for another one than there is is refused later, since the field is immutable."""
    spec = service["spec"]
    if not needs_health_check(spec):
        return
    own = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
    chosen = spec.get("healthCheckNodePort")
    if not chosen:
        spec["healthCheckNodePort"] = _free_port(allowed, {*taken, *own}, "HealthCheck NodePort")
    elif why := _port_is_wrong(chosen, allowed, {*taken, *own}):
        raise InternalError(f"failed to allocate requested HealthCheck NodePort {chosen}: {why}")


def _free_port(allowed: tuple[int, int], taken: Collection[int], what: str = "nodePort") -> int:
    free = [port for port in range(allowed[0], allowed[1] + 1) if port not in taken]
    if not free:
        raise InternalError(f"failed to allocate a {what}: range is full")
    return random.choice(free)  # noqa: S311  # no secret


def _check_address(service: Obj, chosen: str, network: Network, taken: Collection[str]) -> None:
    inside = ip_address(chosen) in network
    why = "provided IP is already allocated" if chosen in taken else ""
    if not inside:
        why = f"the provided IP ({chosen}) is not in the valid range. The range of valid IPs is {network}"
    if why:
        message = f"Invalid value: {_listed(service)}: failed to allocate IP {chosen}: {why}"
        raise _refusal(service, "spec.clusterIPs", message)


def _listed(service: Obj) -> str:
    """As Kubernetes prints a list of strings."""
    return "[" + ",".join(f'"{one}"' for one in service["spec"]["clusterIPs"]) + "]"


def _check_port(service: Obj, index: int, allowed: tuple[int, int], taken: Collection[int]) -> None:
    port = service["spec"]["ports"][index]["nodePort"]
    if why := _port_is_wrong(port, allowed, taken):
        raise _refusal(service, f"spec.ports[{index}].nodePort", f"Invalid value: {port}: {why}")


def _port_is_wrong(port: int, allowed: tuple[int, int], taken: Collection[int]) -> str:
    if not allowed[0] <= port <= allowed[1]:
        return f"provided port is not in the valid range. The range of valid ports is {allowed[0]}-{allowed[1]}"
    return "provided port is already allocated" if port in taken else ""


def _refusal(service: Obj, field: str, message: str) -> Invalid:
    return invalid("", "Service", name_of(service), [Cause("FieldValueInvalid", message, field)])


def _has_address(spec: Obj) -> bool:
    return bool(spec.get("type") != "ExternalName")


def _has_node_ports(spec: Obj) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _addresses(services: Collection[Obj]) -> set[str]:
    return {address for spec in _specs(services) for address in spec.get("clusterIPs") or ()}


def _ports(services: Collection[Obj]) -> set[int]:
    found = {port["nodePort"] for spec in _specs(services) for port in spec.get("ports") or () if port.get("nodePort")}
    return found | {spec["healthCheckNodePort"] for spec in _specs(services) if spec.get("healthCheckNodePort")}


def _specs(services: Collection[Obj]) -> Iterator[Obj]:
    for service in services:
        yield service.get("spec") or {}
