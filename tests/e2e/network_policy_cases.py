"""The cases of Kubernetes' own end-to-end tests of network policies (`test/e2e/network/netpol`, 1.36), told as data.

Three namespaces x, y, z (labelled `ns`) have three pods a, b, c (labelled `pod`), which serve TCP and UDP at ports 80
and 81. A case is some policies, and who then reaches whom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

NAMESPACES = ("x", "y", "z")
PODS = tuple(f"{namespace}/{name}" for namespace in NAMESPACES for name in "abc")
Allowed = Callable[[str, str], bool]
"""Whether a pod reaches another one."""
Port = tuple[int, str]
HTTP: Port = (80, "tcp")
HTTP_81: Port = (81, "tcp")
UDP: Port = (80, "udp")
UDP_81: Port = (81, "udp")
Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`allowed` at port 80 by TCP; `others`: at other ports."""

    policies: list[Json]
    allowed: Allowed
    others: Mapping[Port, Allowed] = field(default_factory=dict)


def policy(selected: str, **spec: Any) -> Json:
    """In a namespace, for one of its pods ("x/a") or for all ("x")."""
    namespace, _, pod = selected.partition("/")
    selector = {"matchLabels": {"pod": pod}} if pod else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace},
        "spec": {"podSelector": selector, **spec},
    }


def into(selected: str, *rules: Json) -> Json:
    """Ingress."""
    return policy(selected, policyTypes=["Ingress"], ingress=list(rules))


def out_of(selected: str, *rules: Json) -> Json:
    """Egress."""
    return policy(selected, policyTypes=["Egress"], egress=list(rules))


def peers(*found: Json, ports: list[Json] | None = None) -> Json:
    """A rule for what comes in from these."""
    return {"from": list(found), **({"ports": ports} if ports else {})}


def targets(*found: Json, ports: list[Json] | None = None) -> Json:
    """A rule for what goes out to these."""
    return {"to": list(found), **({"ports": ports} if ports else {})}


def pods(**labels: str) -> Json:
    return {"podSelector": {"matchLabels": labels}}


def spaces(**labels: str) -> Json:
    return {"namespaceSelector": {"matchLabels": labels}}


def where(kind: str, key: str, operator: str, *values: str) -> Json:
    """A selector by an expression."""
    return {kind: {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}}


def everybody(one: str, other: str) -> bool:
    return True


def only_into(target: str, *sources: str) -> Allowed:
    """Everything, but into `target` (a pod or a namespace) from `sources` only."""
    return lambda one, other: not _in(other, target) or any(_in(one, source) for source in sources)


def only_out_of(source: str, *wanted: str) -> Allowed:
    """Everything, but out of `source` to what is wanted only."""
    return lambda one, other: not _in(one, source) or any(_in(other, target) for target in wanted)


def both(*conditions: Allowed) -> Allowed:
    return lambda one, other: all(condition(one, other) for condition in conditions)


def _in(pod: str, whole: str) -> bool:
    return pod == whole or pod.startswith(f"{whole}/")


TCP_80, TCP_81, NAMED_80, NAMED_81 = ({"port": one} for one in (80, 81, "serve-80-tcp", "serve-81-tcp"))
UDP_80, ANY_UDP, SCTP_80 = {"port": 80, "protocol": "UDP"}, {"protocol": "UDP"}, {"port": 80, "protocol": "SCTP"}
INGRESS: dict[str, Case] = {
    "deny": Case([into("x")], only_into("x"), {HTTP_81: only_into("x"), UDP: only_into("x")}),
    "a target within a denied namespace": Case(
        [into("x"), into("x/a", {})],
        both(only_into("x/b"), only_into("x/c")),
        {UDP: both(only_into("x/b"), only_into("x/c"))},
    ),
    "pods of the namespace": Case([into("x/a", peers(pods(pod="c")))], only_into("x/a", "x/c")),
    "any pods of the namespace": Case([into("x/a", peers({"podSelector": {}}))], only_into("x/a", "x")),
    "pods of all namespaces": Case([into("x/a", peers({"namespaceSelector": {}}))], everybody),
    "another namespace": Case([into("x/a", peers(spaces(ns="y")))], only_into("x/a", "y")),
    "pods by expressions": Case([into("x/a", peers(where("podSelector", "pod", "In", "b")))], only_into("x/a", "x/b")),
    "namespaces by expressions": Case(
        [into("x/a", peers(where("namespaceSelector", "ns", "NotIn", "x")))], only_into("x/a", "y", "z")
    ),
    "pods or namespaces": Case([into("x/a", peers(pods(pod="b"), spaces(ns="y")))], only_into("x/a", "x/b", "y")),
    "pods in namespaces": Case([into("x/a", peers(pods(pod="b") | spaces(ns="y")))], only_into("x/a", "y/b")),
    "several pods in several namespaces": Case(
        [
            into(
                "x/a",
                peers(where("podSelector", "pod", "In", "b", "c") | where("namespaceSelector", "ns", "In", "y", "z")),
            )
        ],
        only_into("x/a", "y/b", "y/c", "z/b", "z/c"),
    ),
    "nobody from other namespaces": Case([into("x", peers({"podSelector": {}}))], only_into("x", "x")),
    "ports": Case(
        [into("x/a", peers(spaces(ns="y"), ports=[TCP_81]))], only_into("x/a"), {HTTP_81: only_into("x/a", "y")}
    ),
    "a range of ports": Case(
        [into("x", peers(ports=[{"port": 81, "endPort": 90}]))], only_into("x"), {HTTP_81: everybody}
    ),
    "a port by its name": Case([into("x", peers(ports=[NAMED_80]))], everybody, {HTTP_81: only_into("x")}),
    "a namespace at a port by its name": Case(
        [into("x", peers(spaces(ns="y"), ports=[NAMED_80]))], only_into("x", "y"), {HTTP_81: only_into("x")}
    ),
    "a protocol": Case([into("x", peers(ports=[ANY_UDP]))], only_into("x"), {UDP: everybody, UDP_81: everybody}),
    "UDP is not TCP": Case(
        [into("x", peers(ports=[UDP_80]))], only_into("x"), {UDP: everybody, UDP_81: only_into("x")}
    ),
    "SCTP is not TCP": Case([into("x", peers(ports=[SCTP_80]))], only_into("x"), {UDP: only_into("x")}),
    "overlapping policies add up": Case(
        [into("x/a", peers(spaces(ns="y"), ports=[TCP_80])), into("x/a", peers(ports=[TCP_81]))],
        only_into("x/a", "y"),
        {HTTP_81: everybody},
    ),
    "allow all": Case([into("x", {})], everybody, {UDP_81: everybody}),
    "allow all takes precedence": Case([into("x"), into("x", {}), into("x", peers(pods(pod="b")))], everybody),
}
EGRESS: dict[str, Case] = {
    "deny all": Case([policy("x", policyTypes=["Ingress", "Egress"])], both(only_into("x"), only_out_of("x"))),
    "deny egress of a pod": Case([out_of("x/a")], only_out_of("x/a")),
    "deny egress of a namespace": Case([out_of("x")], only_out_of("x"), {UDP: only_out_of("x")}),
    "a port by its name": Case([out_of("x", targets(ports=[NAMED_81]))], only_out_of("x"), {HTTP_81: everybody}),
    "a pod in a namespace": Case([out_of("x/a", targets(pods(pod="a") | spaces(ns="y")))], only_out_of("x/a", "y/a")),
    "the namespace": Case([out_of("x", targets({"podSelector": {}}))], only_out_of("x", "x")),
    "both directions together": Case(
        [policy("x/a", policyTypes=["Ingress", "Egress"], ingress=[{}], egress=[targets(ports=[TCP_81])])],
        only_out_of("x/a"),
        {HTTP_81: everybody},
    ),
    "both ends must agree": Case(
        [out_of("x/a", targets(spaces(ns="y"))), into("y/b")], both(only_out_of("x/a", "y"), only_into("y/b"))
    ),
    "the directions are independent": Case([into("x/a"), out_of("x/b")], both(only_into("x/a"), only_out_of("x/b"))),
    "allow all takes precedence": Case([out_of("x", targets(ports=[TCP_81])), out_of("x", {})], everybody),
    "egress rules without types deny ingress too": Case(
        [policy("x/a", egress=[targets(spaces(ns="y"))])], both(only_into("x/a"), only_out_of("x/a", "y"))
    ),
}


def blocks(address: Callable[[str], str]) -> dict[str, Case]:
    """Those that need addresses."""
    one = f"{address('y/b')}/32"
    whole = str(ip_network(f"{address('y/b')}/16", strict=False))  # of an instance: pods may have any address of it
    without = {"ipBlock": {"cidr": whole, "except": [one]}}
    return {
        "a block": Case([out_of("x/a", targets({"ipBlock": {"cidr": one}}))], only_out_of("x/a", "y/b")),
        "a block with an exception": Case(
            [out_of("x/a", targets(without))], lambda source, target: (source, target) != ("x/a", "y/b")
        ),
        "what is excepted may be allowed elsewhere": Case(
            [out_of("x/a", targets(without)), out_of("x/a", targets({"ipBlock": {"cidr": one}}))], everybody
        ),
        "into, from a block": Case([into("x/a", peers({"ipBlock": {"cidr": one}}))], only_into("x/a", "y/b")),
    }
