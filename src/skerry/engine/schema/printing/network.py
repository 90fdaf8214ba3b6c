"""Services and what is around them. Source: `printService`, `printEndpoints`, `printIngress` and their neighbours."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Printer
from skerry.engine.schema.printing.cells import (
    AGE,
    NAME,
    NONE,
    age_of,
    columns,
    get,
    labels_text,
    selector_text,
    wide,
)
from skerry.kube.objects import Obj, name_of

_MAX_SHOWN = 3
"""Endpoints listed before "+ N more..."."""


def _service(obj: Obj, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name_of(obj),
        spec.get("type", ""),
        spec.get("clusterIP") or NONE,
        external_ip(obj),
        _service_ports(spec.get("ports") or []),
        age_of(obj, now),
        labels_text(spec.get("selector")),
    ]


def external_ip(service: Obj) -> str:
    """The EXTERNAL-IP cell: from outside, under what address."""
    spec = service.get("spec") or {}
    kind, external = spec.get("type"), spec.get("externalIPs") or []
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    if kind == "LoadBalancer":
        balancer = load_balancer(service)
        found = ([balancer] if balancer else []) + external
        return ",".join(found) or "<pending>"
    return ",".join(external) or NONE


def load_balancer(obj: Obj) -> str:
    """The addresses or names a load balancer or ingress controller reported."""
    points = get(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(point.get("ip") or point.get("hostname") or "" for point in points)


def _service_ports(ports: list[Obj]) -> str:
    shown = []
    for port in ports:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(shown) or NONE


SERVICE = Printer(columns(NAME, "Type", "Cluster-IP", "External-IP", "Port(s)", AGE, wide("Selector")), _service)


def _endpoints(obj: Obj, now: float) -> list[Any]:
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [address.get("ip", "") for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        found += [f"{address}:{port.get('port')}" for port in ports for address in addresses] if ports else addresses
    return [name_of(obj), _shortened(found), age_of(obj, now)]


def _shortened(items: list[str]) -> str:
    if not items:
        return NONE
    more = f" + {len(items) - _MAX_SHOWN} more..." if len(items) > _MAX_SHOWN else ""
    return ",".join(items[:_MAX_SHOWN]) + more


ENDPOINTS = Printer(columns(NAME, "Endpoints", AGE), _endpoints)


def _endpoint_slice(obj: Obj, now: float) -> list[Any]:
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    ports = obj.get("ports")
    shown = [str(port.get("port") or "*") for port in ports or ()]
    ports_text = _shortened(shown) if ports else "<unset>"
    endpoints_text = _shortened(addresses) if addresses else "<unset>"
    return [name_of(obj), obj.get("addressType", ""), ports_text, endpoints_text, age_of(obj, now)]


ENDPOINT_SLICE = Printer(columns(NAME, "AddressType", "Ports", "Endpoints", AGE), _endpoint_slice)


def _ingress(obj: Obj, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    more = f" + {len(hosts) - _MAX_SHOWN} more..." if len(hosts) > _MAX_SHOWN else ""
    return [
        name_of(obj),
        spec.get("ingressClassName") or NONE,
        ",".join(hosts[:_MAX_SHOWN]) + more if hosts else "*",
        load_balancer(obj),
        "80, 443" if spec.get("tls") else "80",
        age_of(obj, now),
    ]


INGRESS = Printer(columns(NAME, "Class", "Hosts", "Address", "Ports", AGE), _ingress)


def _ingress_class(obj: Obj, now: float) -> list[Any]:
    parameters = get(obj, "spec", "parameters") or {}
    kind = parameters.get("kind", "")
    group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") else ""
    shown = f"{kind}{group}/{parameters.get('name', '')}" if parameters else NONE
    return [name_of(obj), get(obj, "spec", "controller") or "", shown, age_of(obj, now)]


INGRESS_CLASS = Printer(columns(NAME, "Controller", "Parameters", AGE), _ingress_class)


def _network_policy(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), selector_text(get(obj, "spec", "podSelector")), age_of(obj, now)]


NETWORK_POLICY = Printer(columns(NAME, "Pod-Selector", AGE), _network_policy)
