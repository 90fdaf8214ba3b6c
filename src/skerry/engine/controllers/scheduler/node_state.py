"""One node as the scheduler sees it: what it has, what is taken of it, by whom. `cluster` owns them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import copy

from skerry.engine.controllers.scheduler.requests import amounts
from skerry.engine.controllers.scheduler.templates import PodFacts
from skerry.kube.host_ports import HostPort
from skerry.kube.objects import Obj, labels_of

_SOFT = "PreferNoSchedule"
_NO_IMAGES: Mapping[str, int] = {}


class NodeState:
    """`node` is None while pods name a node that is not there."""

    __slots__ = (
        "allocatable", "hard_taints", "images", "labels", "name", "node", "node_version", "nominated", "nonzero_cpu",
        "nonzero_memory", "pods", "ports", "soft_taints", "unschedulable", "used",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.node: Obj | None = None
        self.node_version = 0
        """Changes with the Node object, not with its pods."""
        self.labels: dict[str, str] = {}
        self.hard_taints: list[Obj] = []
        self.soft_taints: list[Obj] = []
        self.unschedulable = False
        self.images = _NO_IMAGES
        self.allocatable: Counter[str] = Counter()
        self.used: Counter[str] = Counter()
        self.nonzero_cpu = 0
        self.nonzero_memory = 0
        self.ports: Counter[HostPort] = Counter()
        self.pods: dict[str, PodFacts] = {}
        self.nominated: dict[str, PodFacts] = {}
        """Pods that wait for others to leave this node."""

    def set_node(self, node: Obj, version: int) -> None:
        """The Node object is new or has changed."""
        spec, status = node.get("spec") or {}, node.get("status") or {}
        taints = spec.get("taints") or ()
        self.node, self.node_version = node, version
        self.labels = labels_of(node)
        self.hard_taints = [taint for taint in taints if taint.get("effect") != _SOFT]
        self.soft_taints = [taint for taint in taints if taint.get("effect") == _SOFT]
        self.unschedulable = bool(spec.get("unschedulable"))
        self.images = _images(status.get("images") or ())
        self.allocatable = amounts(allocatable_of(status))

    def put(self, facts: PodFacts) -> None:
        """Count a pod here."""
        self.pods[facts.uid] = facts
        self._count(facts, 1)

    def take_out(self, uid: str) -> PodFacts:
        """Count it no longer."""
        facts = self.pods.pop(uid)
        self._count(facts, -1)
        return facts

    def copy(self) -> NodeState:
        """One to try things with; the original stays as it is."""
        other = copy(self)
        other.used, other.ports = self.used.copy(), self.ports.copy()
        other.pods, other.nominated = dict(self.pods), dict(self.nominated)
        return other

    def with_nominated(self, priority: int, uid: str) -> NodeState | None:
        """As it will be when those who wait for it are here: pods not less important than `priority`, but the one of
        `uid`. None when there are none."""
        waiting = [one for one in self.nominated.values() if one.priority >= priority and one.uid != uid]
        if not waiting:
            return None
        other = self.copy()
        for one in waiting:
            other.put(one)
        return other

    def _count(self, facts: PodFacts, sign: int) -> None:
        template, used = facts.template, self.used
        for name, amount in template.requests.items():
            used[name] += sign * amount
        self.nonzero_cpu += sign * template.nonzero[0]
        self.nonzero_memory += sign * template.nonzero[1]
        for port in template.ports:
            self.ports[port] += sign
            if not self.ports[port]:
                del self.ports[port]


def allocatable_of(status: Obj) -> Obj:
    """What pods may use. A kubelet repeats extended resources ("example.com/dongle") that somebody wrote into its
    capacity at its next report; here they count at once."""
    capacity = status.get("capacity") or {}
    allocatable = status.get("allocatable")
    if allocatable is None:
        return capacity
    return {**{name: value for name, value in capacity.items() if "/" in name}, **allocatable}


def _images(images: object) -> Mapping[str, int]:
    """Sizes by name."""
    assert isinstance(images, (list, tuple))
    return {name: int(image.get("sizeBytes") or 0) for image in images for name in image.get("names") or ()}
