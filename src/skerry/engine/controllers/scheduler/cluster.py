"""The scheduler's picture of the nodes: what is on each, counting pods that are being bound right now.

A pod is counted from the moment the scheduler decides ("assumed"), long before the API says so; that is what keeps
fifty pods at once from overfilling a node. Pods are known by uid, so every step can be repeated harmlessly. Every
change of a node gives it a new version, so that `ranking` looks only at nodes that have changed. Pods that wait for
victims to go are `nominated`: room is kept for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from skerry.engine.controllers.scheduler.claim_users import ClaimUsers
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.population import Population
from skerry.engine.controllers.scheduler.templates import PodFacts
from skerry.kube.objects import Obj, name_of


class Cluster:
    """All nodes."""

    def __init__(self) -> None:
        self.population = Population()
        self.priorities: Counter[int] = Counter()
        """How many placed pods have each priority."""
        self.claim_users = ClaimUsers()
        self._nodes: dict[str, NodeState] = {}
        self._there = 0
        self._places: dict[str, str] = {}
        self._assumed: set[str] = set()
        self._nominations: dict[str, str] = {}
        self.node_revision = 0
        """Grows when a Node object changes, comes or goes."""
        self._version = 0
        self._changed: dict[str, int] = {}  # node: version of its last change, the newest last

    def __len__(self) -> int:
        """How many nodes are there."""
        return self._there

    def nodes(self) -> list[NodeState]:
        """The nodes that are there."""
        return [state for state in self._nodes.values() if state.node is not None]

    def state(self, name: str) -> NodeState | None:
        """One node; None when it is not there."""
        state = self._nodes.get(name)
        return state if state is not None and state.node is not None else None

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    def changed_since(self, version: int) -> list[str]:
        """Names of the nodes that have changed, or gone, after `version`."""
        return list(_newest(self._changed, version))

    def set_node(self, node: Obj) -> None:
        """A node appeared or changed."""
        state = self._state(name_of(node))
        self._there += state.node is None
        self.node_revision += 1
        state.set_node(node, self._note(state.name))

    def remove_node(self, name: str) -> None:
        """A node is gone; what was on it stays counted until it is gone too."""
        state = self._state(name)
        self._there -= state.node is not None
        self.node_revision += 1
        state.node = None
        self._note(name)
        self._drop_if_empty(state)

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
        self._take(state, uid)
        self._drop_if_empty(state)
        return True

    def place_of(self, uid: str) -> str:
        """The node the pod is on, or ""."""
        return self._places.get(uid, "")

    def facts(self, uid: str) -> PodFacts | None:
        """What is known of a pod that is placed."""
        name = self._places.get(uid)
        return self._nodes[name].pods[uid] if name is not None else None

    def confirm(self, known: PodFacts, pod: Obj) -> bool:
        """The newest state of a placed pod, which changes nothing here. Says whether it had been assumed until now."""
        self._nodes[self._places[known.uid]].pods[known.uid] = PodFacts(pod, known.template)
        assumed = known.uid in self._assumed
        self._assumed.discard(known.uid)
        return assumed

    def nominate(self, facts: PodFacts, node: str) -> None:
        """Keep room on a node for a pod that waits; "" for not any more."""
        before = self._nominations.pop(facts.uid, None)
        if before is not None:
            state = self._nodes[before]
            state.nominated.pop(facts.uid, None)
            self._note(before)
            self._drop_if_empty(state)
        if node:
            self._nominations[facts.uid] = node
            self._state(node).nominated[facts.uid] = facts
            self._note(node)

    def nominated(self) -> list[PodFacts]:
        """All pods that room is kept for."""
        return [self._nodes[node].nominated[uid] for uid, node in self._nominations.items()]

    def nomination(self, uid: str) -> str:
        """The node that is kept for the pod, or ""."""
        return self._nominations.get(uid, "")

    def _put(self, facts: PodFacts, node: str) -> None:
        before = self._places.get(facts.uid)
        if before is not None:
            self._take(self._nodes[before], facts.uid)
        state = self._state(node)
        state.put(facts)
        self.population.put(facts, node)
        self.claim_users.put(facts, node)
        self.priorities[facts.priority] += 1
        self._places[facts.uid] = node
        self._note(node)

    def _take(self, state: NodeState, uid: str) -> None:
        facts = state.take_out(uid)
        self.population.take(facts, state.name)
        self.claim_users.take(facts)
        self.priorities[facts.priority] -= 1
        if not self.priorities[facts.priority]:
            del self.priorities[facts.priority]
        self._note(state.name)

    def _note(self, name: str) -> int:
        self._version += 1
        self._changed.pop(name, None)
        self._changed[name] = self._version
        return self._version

    def _state(self, name: str) -> NodeState:
        if name not in self._nodes:
            self._nodes[name] = NodeState(name)
        return self._nodes[name]

    def _drop_if_empty(self, state: NodeState) -> None:
        if state.node is None and not state.pods and not state.nominated:
            self._nodes.pop(state.name, None)


def _newest(changed: dict[str, int], version: int) -> Iterator[str]:
    for name in reversed(changed):
        if changed[name] <= version:
            return
        yield name
