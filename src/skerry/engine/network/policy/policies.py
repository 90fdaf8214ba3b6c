"""What a NetworkPolicy object says, without its YAML: whom it selects, and what it lets in and out. Pure.

Source: the semantics of `networking.k8s.io/v1` NetworkPolicy in Kubernetes 1.36. A direction that the policy does not
speak of is None; one without rules lets nothing through. Policies only ever add up: what one of them allows is allowed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from skerry.engine.network.policy.ranges import Range, of_blocks
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.selectors import Requirement, Selector, selector_of

Direction = Literal["ingress", "egress"]
_PEERS: Mapping[Direction, str] = {"ingress": "from", "egress": "to"}
_TYPES: Mapping[Direction, str] = {"ingress": "Ingress", "egress": "Egress"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Pods by their labels, in one namespace or in all whose labels match."""

    pods: Selector
    namespace: str = ""
    namespaces: Selector | None = None
    """Instead of `namespace`."""
    key: str = field(init=False)
    """The same for equal selections, and only for those; part of the name of an nft set."""

    def __post_init__(self) -> None:
        where = f"={self.namespace}" if self.namespaces is None else _text(self.namespaces)
        digest = hashlib.sha256(f"{where};{_text(self.pods)}".encode()).hexdigest()
        object.__setattr__(self, "key", digest[:16])

    def matches(self, namespace: str, labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> bool:
        """Whether a pod with these labels, in a namespace with those, is one of them."""
        if self.namespaces is None:
            return namespace == self.namespace and self.pods.matches(labels)
        return self.namespaces.matches(namespace_labels) and self.pods.matches(labels)


@dataclass(frozen=True, slots=True)
class Port:
    """Ports of the receiving pod: a range, those that its containers call `name`, or (`first` 0) all of a protocol."""

    protocol: str
    first: int = 0
    last: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is on the other side (`anyone`, or whom `peers` select, or who has an address in `ranges`), and which ports;
    no ports for all of them."""

    anyone: bool
    peers: tuple[Selection, ...]
    ranges: tuple[Range, ...]
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One NetworkPolicy."""

    namespace: str
    name: str
    selected: Selection
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None

    @property
    def key(self) -> str:
        """Unique among policies."""
        return f"{self.namespace}/{self.name}"

    def rules(self, direction: Direction) -> tuple[Rule, ...] | None:
        """Those of one direction."""
        return self.ingress if direction == "ingress" else self.egress

    def all_rules(self) -> Iterator[Rule]:
        """Those of both directions."""
        yield from self.ingress or ()
        yield from self.egress or ()


def policy_of(obj: Obj) -> Policy:
    """Read an object that the API has accepted. Raises SelectorError if it had not."""
    namespace, spec = namespace_of(obj), obj.get("spec") or {}
    return Policy(
        namespace=namespace,
        name=name_of(obj),
        selected=Selection(_selector(spec.get("podSelector")), namespace),
        ingress=_rules(spec, "ingress", namespace),
        egress=_rules(spec, "egress", namespace),
    )


def selections_of(policies: Iterable[Policy]) -> Iterator[Selection]:
    """Whom they select and whom their rules name, some more than once."""
    for one in policies:
        yield one.selected
        for rule in one.all_rules():
            yield from rule.peers


def _rules(spec: Obj, direction: Direction, namespace: str) -> tuple[Rule, ...] | None:
    if _TYPES[direction] not in _types(spec):
        return None
    return tuple(_rule(rule, _PEERS[direction], namespace) for rule in spec.get(direction) or ())


def _types(spec: Obj) -> Iterable[str]:
    return spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _rule(rule: Obj, side: str, namespace: str) -> Rule:
    peers = rule.get(side) or ()
    blocks = [(peer["ipBlock"]["cidr"], peer["ipBlock"].get("except") or ()) for peer in peers if peer.get("ipBlock")]
    return Rule(
        anyone=not peers,
        peers=tuple(_selection(peer, namespace) for peer in peers if not peer.get("ipBlock")),
        ranges=of_blocks(blocks),
        ports=tuple(_port(port) for port in rule.get("ports") or ()),
    )


def _selection(peer: Obj, namespace: str) -> Selection:
    pods, namespaces = _selector(peer.get("podSelector")), peer.get("namespaceSelector")
    return Selection(pods, namespace) if namespaces is None else Selection(pods, namespaces=_selector(namespaces))


def _port(port: Obj) -> Port:
    protocol, number = port.get("protocol", "TCP").lower(), port.get("port")
    if number is None:
        return Port(protocol)
    if isinstance(number, str):
        return Port(protocol, name=number)
    return Port(protocol, number, port.get("endPort") or number)


def _selector(spec: Obj | None) -> Selector:
    """With its requirements in one order, so that equal ones are seen to be equal."""
    return Selector(tuple(sorted(selector_of(spec).requirements, key=_requirement)))


def _text(selector: Selector) -> str:
    return str([_requirement(one) for one in selector.requirements])


def _requirement(one: Requirement) -> tuple[str, str, list[str]]:
    return one.key, one.operator, sorted(one.values)
