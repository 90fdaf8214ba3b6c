"""What to do for a StatefulSet now: pure, from the set, its two revisions, its pods and its claims.

Source: Kubernetes `stateful_set_control.go` (`updateStatefulSet`), with the feature gate MaxUnavailableStatefulSet off,
as it is by default in 1.36: a rolling update takes one pod at a time, the highest ordinal first.

In order (`OrderedReady`) one step is taken at a time: nothing is created, removed or updated while a pod before it is
not available. `Parallel` sets create and remove at once, but update like the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime

from skerry.engine.controllers.pods import is_finished, phase_of, seconds_until_available
from skerry.engine.controllers.statefulset.claims import build_claims, changed_owners, claim_names, is_stale
from skerry.engine.controllers.statefulset.identity import build_pod, is_right, ordinal_of, ordinals, revision_of
from skerry.kube.objects import Obj, is_deleting, name_of
from skerry.kube.records import record


@record
class Situation:
    """`current` is the revision rolled out last, `update` that of today's template; `claim` looks one up by name."""

    owner: Obj
    current: Obj
    update: Obj
    pods: Sequence[Obj]
    claim: Callable[[str], Obj | None]
    now: datetime
    delay: Callable[[int], float] = lambda ordinal: 0.0
    """Seconds until a failed pod of an ordinal may be replaced."""


@record
class Plan:
    """`create`: pods to make, after their claims. `correct`: pods whose identity or volumes are not right. `provide`:
    claims that are missing. `own`: claims and the owner references they should have."""

    create: list[Obj] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)
    correct: list[Obj] = field(default_factory=list)
    provide: list[Obj] = field(default_factory=list)
    own: list[tuple[Obj, list[Obj]]] = field(default_factory=list)
    wait: list[float] = field(default_factory=list)
    """Seconds until pods that ended may be replaced."""


def plan(situation: Situation) -> Plan:
    """The next step; nothing for a set that is being deleted."""
    planner = _Planner(situation)
    if not is_deleting(situation.owner):
        planner.run()
    return planner.plan


class _Planner:
    def __init__(self, situation: Situation) -> None:
        self.plan = Plan()
        self._is = situation
        spec = situation.owner["spec"]
        self._ordered = spec.get("podManagementPolicy") != "Parallel"
        self._minimum = int(spec.get("minReadySeconds") or 0)
        by_ordinal = {ordinal_of(pod): pod for pod in situation.pods}
        self._slots = {ordinal: by_ordinal.pop(ordinal, None) for ordinal in ordinals(situation.owner)}
        self._condemned = [by_ordinal[ordinal] for ordinal in sorted(by_ordinal, reverse=True) if ordinal >= 0]

    def run(self) -> None:
        """Replicas first, then scaling down, then the update: each only when what comes before allows it."""
        for ordinal, pod in self._slots.items():
            if not self._keep(ordinal, pod) and self._ordered:
                return
        for pod in self._condemned:
            self._own_claims(pod, condemned=True)
        if self._ordered and self._condemned:
            self._remove(self._condemned[0])
            return
        for pod in self._condemned:
            self._remove(pod)
        if self._is.owner["spec"].get("updateStrategy", {}).get("type") != "OnDelete":
            self._roll()

    def _keep(self, ordinal: int, pod: Obj | None) -> bool:
        """Have a pod at this ordinal; says whether it is all right."""
        if pod is None:
            self._create(ordinal)
            return False
        if is_finished(pod):
            self._replace(ordinal, pod)
            return False
        if phase_of(pod) == "Pending":
            self._provide_claims(ordinal)
        if self._ordered and not self._is_in_order(pod):
            return False
        self._own_claims(pod, condemned=False)
        if not is_right(self._is.owner, pod) and not is_deleting(pod):
            self.plan.correct.append(pod)
        return True

    def _replace(self, ordinal: int, ended: Obj) -> None:
        """Delete a pod that ended, not faster than the back-off allows; when it is gone it is created anew."""
        delay = self._is.delay(ordinal)
        if delay > 0:
            self.plan.wait.append(delay)
        elif not is_deleting(ended):
            self.plan.delete.append(ended)

    def _create(self, ordinal: int) -> None:
        owner = self._is.owner
        found = (self._is.claim(name) for name in claim_names(owner, ordinal).values())
        claims = [claim for claim in found if claim is not None]
        if any(is_deleting(claim) or is_stale(claim, f"{name_of(owner)}-{ordinal}") for claim in claims):
            return  # the claim is about to go: that is waited for
        self._provide_claims(ordinal)
        self.plan.create.append(build_pod(owner, self._revision_for(ordinal), ordinal))

    def _provide_claims(self, ordinal: int) -> None:
        missing = (one for one in build_claims(self._is.owner, ordinal) if self._is.claim(name_of(one)) is None)
        self.plan.provide.extend(missing)

    def _own_claims(self, pod: Obj, *, condemned: bool) -> None:
        for name in claim_names(self._is.owner, ordinal_of(pod)).values():
            claim = self._is.claim(name)
            if claim is None or is_deleting(claim):
                continue
            wanted = changed_owners(claim, self._is.owner, pod, condemned=condemned)
            if wanted is not None:
                self.plan.own.append((claim, wanted))

    def _remove(self, pod: Obj) -> None:
        """Scale one pod away, unless in order another one must be well before."""
        if is_deleting(pod):
            return
        if not self._ordered or self._is_in_order(pod) or pod is self._first_out_of_order():
            self.plan.delete.append(pod)

    def _first_out_of_order(self) -> Obj | None:
        """The pod that holds everything up: the lowest of the wanted ones, or else of those to go."""
        kept = (pod for pod in self._slots.values() if pod is not None)
        return next((pod for pod in (*kept, *reversed(self._condemned)) if not self._is_in_order(pod)), None)

    def _roll(self) -> None:
        """Take down the highest pod of another revision, when all above it are well."""
        for ordinal in reversed(ordinals(self._is.owner)[self._partition() :]):
            pod = self._slots[ordinal]
            if pod is None:
                return
            if revision_of(pod) != name_of(self._is.update) and not is_deleting(pod):
                if pod not in self.plan.delete:
                    self.plan.delete.append(pod)
                return
            if not self._is_in_order(pod):
                return

    def _revision_for(self, ordinal: int) -> Obj:
        """Below the partition a pod comes back as it was."""
        strategy = self._is.owner["spec"].get("updateStrategy") or {}
        protected = ordinals(self._is.owner)[: self._partition()]
        return self._is.current if strategy.get("type") != "OnDelete" and ordinal in protected else self._is.update

    def _partition(self) -> int:
        strategy = self._is.owner["spec"].get("updateStrategy") or {}
        return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)

    def _is_in_order(self, pod: Obj) -> bool:
        """Running, available, and not on its way out."""
        if is_deleting(pod) or phase_of(pod) != "Running":
            return False
        return seconds_until_available(pod, self._minimum, self._is.now) == 0
