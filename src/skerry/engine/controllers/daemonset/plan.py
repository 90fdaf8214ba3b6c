"""What to create and delete for a DaemonSet now, updates aside: pure, from the set, the nodes and its pods.

Source: Kubernetes `manage` and `podsShouldBeOnNode` (`pkg/controller/daemon/daemon_controller.go`). Neighbour:
`rolling`, which comes into play when nothing is to be done here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from skerry.engine.controllers.daemonset.nodes import Fit, fit
from skerry.engine.controllers.daemonset.pods import is_updated, target_node, tolerant_spec
from skerry.engine.controllers.pods import is_finished, is_ready, node_of, phase_of, seconds_until_available
from skerry.kube.objects import Obj, is_deleting, key_of, name_of
from skerry.kube.records import record


@record
class Situation:
    """`hash` is that of today's revision; `fits` says of every node how it suits; `pods` are by their target node."""

    daemon_set: Obj
    hash: str
    fits: Mapping[str, Fit]
    pods: Mapping[str, Sequence[Obj]]
    now: datetime

    def is_available(self, pod: Obj) -> bool:
        """Whether it has been ready for long enough."""
        minimum = int(self.daemon_set["spec"].get("minReadySeconds") or 0)
        return seconds_until_available(pod, minimum, self.now) == 0

    def is_updated(self, pod: Obj) -> bool:
        """Whether it was made from today's template."""
        return is_updated(self.daemon_set, self.hash, pod)


@record
class Plan:
    """`create`: names of nodes. `failed`, `succeeded`: those of `delete` that ended although they should run."""

    create: list[str] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)
    failed: list[Obj] = field(default_factory=list)
    succeeded: list[Obj] = field(default_factory=list)
    wait: list[float] = field(default_factory=list)
    """Seconds until failed pods may be deleted."""

    @property
    def is_empty(self) -> bool:
        """Nothing to be done."""
        return not self.create and not self.delete


def situation_of(
    daemon_set: Obj, revision_hash: str, nodes: Iterable[Obj], pods: Iterable[Obj], now: datetime
) -> Situation:
    """The picture all decisions are made from. What has ended and is about to go is nobody's business any more."""
    spec = tolerant_spec(daemon_set)
    placed: dict[str, list[Obj]] = {}
    for pod in pods:
        node = target_node(pod)
        if node and not (is_finished(pod) and is_deleting(pod)):
            placed.setdefault(node, []).append(pod)
    return Situation(daemon_set, revision_hash, {name_of(node): fit(spec, node) for node in nodes}, placed, now)


def manage(situation: Situation, delay_of: Callable[[str], float]) -> Plan:
    """Pods on nodes that lack one, none where none should be. `delay_of` a node: seconds until a failed pod may go."""
    plan = Plan()
    for node, suits in situation.fits.items():
        pods = situation.pods.get(node, ())
        if suits.wanted and not pods:
            plan.create.append(node)
        elif suits.tolerated:
            _keep_one(situation, node, _running(pods, plan, delay_of(node)), plan)
        else:
            plan.delete.extend(pod for pod in pods if not is_deleting(pod))
    gone = (pods for node, pods in situation.pods.items() if node not in situation.fits)
    plan.delete.extend(pod for pods in gone for pod in pods if not node_of(pod) and not is_deleting(pod))
    return plan


def oldest_first(pods: Iterable[Obj]) -> list[Obj]:
    """Bound ones before others, then by age: the first is the one that counts for its node."""
    return sorted(pods, key=lambda pod: (not node_of(pod), pod["metadata"].get("creationTimestamp", ""), name_of(pod)))


def allows_surge(daemon_set: Obj) -> bool:
    """Whether an update may have two pods on a node."""
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    surge = (strategy.get("rollingUpdate") or {}).get("maxSurge") or 0
    return strategy.get("type") == "RollingUpdate" and surge not in (0, "0%")


def _running(pods: Iterable[Obj], plan: Plan, delay: float) -> list[Obj]:
    """The pods that live; those that have ended are deleted, failed ones not faster than the back-off allows."""
    running = []
    for pod in pods:
        if is_deleting(pod):
            continue
        if phase_of(pod) == "Failed" and delay > 0:
            plan.wait.append(delay)
        elif phase_of(pod) == "Failed":
            plan.failed.append(pod)
            plan.delete.append(pod)
        elif phase_of(pod) == "Succeeded":
            plan.succeeded.append(pod)
            plan.delete.append(pod)
        else:
            running.append(pod)
    return running


def _keep_one(situation: Situation, node: str, running: list[Obj], plan: Plan) -> None:
    if not allows_surge(situation.daemon_set):
        plan.delete.extend(oldest_first(running)[1:])
    elif not running and situation.fits[node].wanted:
        plan.create.append(node)
    elif len(running) > 1:
        plan.delete.extend(_beyond_surge(situation, running))


def _beyond_surge(situation: Situation, running: list[Obj]) -> list[Obj]:
    """Of several pods on a node two may stay: a ready old one, and its successor while that is not available."""
    ordered = oldest_first(running)
    new = next((pod for pod in ordered if situation.is_updated(pod)), None)
    old = next((pod for pod in ordered if not situation.is_updated(pod)), None)
    surplus = [pod for pod in ordered if pod is not new and pod is not old]
    if new is not None and old is not None and (not is_ready(old) or situation.is_available(new)):
        surplus.append(old)
    return surplus


def ended_message(pod: Obj, node: str, verb: str) -> str:
    """What the event about a pod that ended says. verb: "kill" or "delete"."""
    return f"Found {phase_of(pod).lower()} daemon pod {key_of(pod)} on node {node}, will try to {verb} it"
