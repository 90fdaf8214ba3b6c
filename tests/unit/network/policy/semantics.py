"""Whether policies let a connection through, said directly from the objects: what the rules are compared with.

Written from the documentation of `networking.k8s.io/v1`, without a word of the code that it tests.
"""

from __future__ import annotations

import ipaddress
from typing import Any, NamedTuple

from skerry.kube.objects import Obj
from tests.unit.network.policy.samples import Sample


class Connection(NamedTuple):
    """From pod to pod, by their places in the sample."""

    source: Obj
    target: Obj
    protocol: str
    port: int


def allowed(sample: Sample, asked: Connection) -> bool:
    """A pod always reaches itself; else both ends must agree."""
    if asked.source is asked.target:
        return True
    return _lets(sample, asked, "Egress") and _lets(sample, asked, "Ingress")


def _lets(sample: Sample, asked: Connection, kind: str) -> bool:
    pod, other = (asked.source, asked.target) if kind == "Egress" else (asked.target, asked.source)
    field, side = ("egress", "to") if kind == "Egress" else ("ingress", "from")
    concerned = [one for one in sample.policies if _concerns(one, pod, kind)]
    if not concerned:
        return True
    return any(
        _peer_fits(sample, policy, rule.get(side), other) and _port_fits(rule.get("ports"), asked)
        for policy in concerned
        for rule in policy["spec"].get(field) or ()
    )


def _concerns(policy: Obj, pod: Obj, kind: str) -> bool:
    spec = policy["spec"]
    kinds = spec.get("policyTypes") or ["Ingress"] + (["Egress"] if spec.get("egress") else [])
    same = policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return kind in kinds and same and _selects(spec["podSelector"], pod["metadata"]["labels"])


def _peer_fits(sample: Sample, policy: Obj, peers: list[Obj] | None, other: Obj) -> bool:
    return not peers or any(_is_peer(sample, policy, one, other) for one in peers)


def _is_peer(sample: Sample, policy: Obj, peer: Obj, other: Obj) -> bool:
    if "ipBlock" in peer:
        address = ipaddress.ip_address(other["status"]["podIP"])
        inside = address in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        return inside and all(address not in ipaddress.ip_network(one) for one in peer["ipBlock"].get("except", []))
    namespace = other["metadata"]["namespace"]
    if "namespaceSelector" in peer:
        near = _selects(peer["namespaceSelector"], sample.namespaces[namespace])
    else:
        near = namespace == policy["metadata"]["namespace"]
    return near and _selects(peer.get("podSelector", {}), other["metadata"]["labels"])


def _port_fits(ports: list[Obj] | None, asked: Connection) -> bool:
    return not ports or any(_is_port(one, asked) for one in ports)


def _is_port(port: Obj, asked: Connection) -> bool:
    if port["protocol"] != asked.protocol:
        return False
    number: Any = port.get("port")
    if isinstance(number, str):
        declared = [one for each in asked.target["spec"]["containers"] for one in each["ports"]]
        return any(
            (one["name"], one["protocol"], one["containerPort"]) == (number, asked.protocol, asked.port)
            for one in declared
        )
    return number is None or number <= asked.port <= port.get("endPort", number)


def _selects(selector: Obj, labels: dict[str, str]) -> bool:
    exact = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return exact and all(_holds(one, labels) for one in selector.get("matchExpressions", []))


def _holds(expression: Obj, labels: dict[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None
