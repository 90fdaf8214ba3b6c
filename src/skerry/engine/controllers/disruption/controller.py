"""Keeps the status of PodDisruptionBudgets. Source: Kubernetes `pkg/controller/disruption`.

What a pod's owner wants is asked of the owner's `scale` subresource, whatever kind it is of, custom ones included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.disruption.decide import (
    Disrupted,
    budget_status,
    expected,
    failed_status,
    needs_scale,
    still_disrupted,
)
from skerry.engine.controllers.pods import replica_relevant
from skerry.engine.controllers.writing import write_status
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, Resource, controller_of, key_of, labels_of, name_of, namespace_of, split_key
from skerry.kube.resources import DEPLOYMENTS, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS
from skerry.kube.selectors import selector_of

_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: %s) were found to be unmanaged. As a result, the status of"
    " the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please"
    ' set ".spec.minAvailable" field of the PDB to an integer value.'
)


class CannotTell(Exception):
    """How many pods there should be cannot be worked out; the message says why."""


class DisruptionController(Controller):
    """Keys are budgets."""

    name = "disruption"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._recorder = context.recorder.named("controllermanager")
        self._resources = context.resources
        self._budgets = context.informers.of(POD_DISRUPTION_BUDGETS)
        self._pods = context.informers.of(PODS)
        self._replica_sets = context.informers.of(REPLICA_SETS)
        self.watch(self._budgets)
        self._pods.add_handler(self._pod_changed)

    async def reconcile(self, key: str) -> float | None:
        """Work out one budget; comes back when a granted eviction would run out of time."""
        namespace, name = split_key(key)
        budget = self._budgets.get(name, namespace)
        if budget is None:
            return None
        now = self._clock.now()
        pods = self._selected(budget)
        if not pods:
            self._recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        try:
            scale = await self._scale(budget, pods) if needs_scale(budget) else 0
        except CannotTell as why:
            message = f"Failed to calculate the number of expected pods: {why}"
            self._recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", message)
            await write_status(self._client, POD_DISRUPTION_BUDGETS, budget, failed_status(budget, str(why), now))
            return None
        disrupted = still_disrupted(budget, pods, now)
        self._tell_not_deleted(key, pods, disrupted)
        status = budget_status(budget, expected(budget, len(pods), scale), pods, disrupted, now)
        await write_status(self._client, POD_DISRUPTION_BUDGETS, budget, status)
        return disrupted.next_check

    def _selected(self, budget: Obj) -> list[Obj]:
        """Pods the budget is about: without a selector none, with an empty one all of its namespace."""
        selector = (budget.get("spec") or {}).get("selector")
        if selector is None:
            return []
        wanted = selector_of(selector)
        return [pod for pod in self._pods.list(namespace_of(budget)) if wanted.matches(labels_of(pod))]

    async def _scale(self, budget: Obj, pods: Sequence[Obj]) -> int:
        """The sum of what the pods' owners want. Raises CannotTell."""
        owners: dict[tuple[str, str, str], None] = {}
        unmanaged = False
        for pod in pods:
            owner = self._owner(pod)
            if owner is None:
                unmanaged = True
            else:
                owners[owner["apiVersion"], owner["kind"], owner["name"]] = None
        if unmanaged:
            shown = (budget.get("spec") or {}).get("selector")
            self._recorder.event(budget, "Warning", "UnmanagedPods", _UNMANAGED % shown)
        return sum([await self._wanted(namespace_of(budget), *owner) for owner in owners])

    def _owner(self, pod: Obj) -> Obj | None:
        """The owner that has a size of its own: of a Deployment's pod the Deployment, not its ReplicaSet."""
        owner = controller_of(pod)
        if owner is None or owner["kind"] != REPLICA_SETS.kind:
            return owner
        replica_set = self._replica_sets.get(owner["name"], namespace_of(pod))
        above = controller_of(replica_set) if replica_set is not None else None
        return above if above is not None and above["kind"] == DEPLOYMENTS.kind else owner

    async def _wanted(self, namespace: str, api_version: str, kind: str, name: str) -> int:
        resource = self._resource(api_version, kind)
        if resource is None:
            raise CannotTell(f"{kind} {name!r} in {api_version!r} is not a kind that is served")
        try:
            scale = await self._client.get(resource, name, namespace, "scale")
        except StatusError as error:
            if isinstance(error, NotFound) and error.details.get("name"):
                return 0  # the owner is gone; without its name it is the path that nobody serves
            raise CannotTell(f"{resource.group_resource} {name!r} does not implement the scale subresource") from None
        return int((scale.get("spec") or {}).get("replicas") or 0)

    def _resource(self, api_version: str, kind: str) -> Resource | None:
        served = (one for one in self._resources() if one.api_version == api_version and one.kind == kind)
        return next(served, None)

    def _tell_not_deleted(self, key: str, pods: Iterable[Obj], disrupted: Disrupted) -> None:
        what = f"Pod was expected by PDB {key} to be deleted but it wasn't"
        for pod in pods:
            if name_of(pod) in disrupted.not_deleted:
                self._recorder.event(pod, "Warning", "NotDeleted", what)

    def _pod_changed(self, delta: Delta) -> None:
        old, new = delta.old, delta.new
        if old is not None and new is not None and replica_relevant(old) == replica_relevant(new):
            return
        states = [state for state in (old, new) if state is not None]
        for budget in self._budgets.list(namespace_of(delta.object)):
            selector = (budget.get("spec") or {}).get("selector")
            if selector is not None and any(selector_of(selector).matches(labels_of(state)) for state in states):
                self.queue.add(key_of(budget))
