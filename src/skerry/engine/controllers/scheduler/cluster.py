"""The scheduler's picture of the nodes: what is on each, counting pods that are being bound right now.

A pod is counted from the moment the scheduler decides ("assumed"), long before the API says so; that is what keeps
fifty pods at once from overfilling a node. Pods are known by uid, so every step can be repeated harmlessly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from skerry.engine.controllers.scheduler.requests import HostPort, amounts, host_ports, pod_requests
from skerry.kube.objects import Obj, labels_of, name_of, namespace_of, uid_of


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What of a pod matters when placing it or others."""

    pod: Obj
    requests: Counter[str]
    ports: list[HostPort]

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return uid_of(self.pod)

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return namespace_of(self.pod)

    @property
    def labels(self) -> dict[str, str]:
        """The pod's labels."""
        return labels_of(self.pod)


def facts_of(pod: Obj) -> PodFacts:
    """Work the facts out. Raises ValueError for quantities that are none."""
    return PodFacts(pod, pod_requests(pod), host_ports(pod))


@dataclass(slots=True)
class NodeState:
    """One node and what is on it. `node` is None while pods name a node that is not there."""

    name: str
    node: Obj | None = None
    allocatable: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    pods: dict[str, PodFacts] = field(default_factory=dict)
    choosy: dict[str, PodFacts] = field(default_factory=dict)
    """Those of `pods` that have anti-affinity and so may keep others away."""

    @property
    def labels(self) -> dict[str, str]:
        """The node's labels."""
        return labels_of(self.node) if self.node is not None else {}

    def ports(self) -> Iterator[HostPort]:
        """Host ports taken."""
        for facts in self.pods.values():
            yield from facts.ports

    def put(self, facts: PodFacts) -> None:
        """Count a pod here."""
        self.pods[facts.uid] = facts
        self.used.update(facts.requests)
        if (facts.pod["spec"].get("affinity") or {}).get("podAntiAffinity"):
            self.choosy[facts.uid] = facts

    def take_out(self, uid: str) -> None:
        """Count it no longer."""
        self.used.subtract(self.pods.pop(uid).requests)
        self.choosy.pop(uid, None)


class Cluster:
    """All nodes."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeState] = {}
        self._places: dict[str, str] = {}
        self._assumed: set[str] = set()

    def nodes(self) -> list[NodeState]:
        """The nodes that are there."""
        return [state for state in self._nodes.values() if state.node is not None]

    def set_node(self, node: Obj) -> None:
        """A node appeared or changed."""
        state = self._state(name_of(node))
        status = node.get("status") or {}
        state.node = node
        state.allocatable = amounts(status.get("allocatable") or status.get("capacity"))

    def remove_node(self, name: str) -> None:
        """A node is gone; what was on it stays counted until it is gone too."""
        state = self._state(name)
        state.node = None
        if not state.pods:
            del self._nodes[name]

    def place(self, facts: PodFacts, node: str) -> None:
        """The API says that the pod is bound to this node."""
        self._assumed.discard(facts.uid)
        self._put(facts, node)

    def assume(self, facts: PodFacts, node: str) -> None:
        """The scheduler has decided so, and is about to tell the API."""
        self._assumed.add(facts.uid)
        self._put(facts, node)

    def is_assumed(self, uid: str) -> bool:
        """Whether the pod is being bound, or bound and not yet seen so."""
        return uid in self._assumed

    def remove(self, uid: str) -> bool:
        """The pod is finished, gone, or could not be bound. Says whether it was counted anywhere."""
        self._assumed.discard(uid)
        name = self._places.pop(uid, None)
        if name is None:
            return False
        state = self._nodes[name]
        state.take_out(uid)
        if state.node is None and not state.pods:
            del self._nodes[name]
        return True

    def facts(self, uid: str) -> PodFacts | None:
        """What is known of a pod that is placed."""
        name = self._places.get(uid)
        return self._nodes[name].pods[uid] if name is not None else None

    def _put(self, facts: PodFacts, node: str) -> None:
        if facts.uid in self._places:
            self._nodes[self._places[facts.uid]].take_out(facts.uid)
        self._state(node).put(facts)
        self._places[facts.uid] = node

    def _state(self, name: str) -> NodeState:
        if name not in self._nodes:
            self._nodes[name] = NodeState(name)
        return self._nodes[name]
