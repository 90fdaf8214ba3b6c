"""`pods/eviction`: delete a pod politely, that is, if the PodDisruptionBudgets that select it allow one more to go.

Source: Kubernetes' `pkg/registry/core/pod/storage/eviction.go`. What a budget allows is worked out by
`engine.controllers.disruption`; here one disruption is taken from its status in the same write that notes the pod.
"""

from __future__ import annotations

from dataclasses import replace

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.backend import Backend, find
from skerry.engine.api.bodies import read_object
from skerry.engine.api.options import DeleteOptions, WriteOptions, delete_options, write_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Response
from skerry.engine.api.subresources.binding import SUCCESS
from skerry.engine.api.verbs.delete import delete_one
from skerry.engine.api.writing import Change, change
from skerry.engine.schema.bodies import EVICTION
from skerry.engine.store.contract import Entry
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_is_true, conditions_of, with_condition
from skerry.kube.errors import BadRequest, Forbidden, InternalError, TooManyRequests
from skerry.kube.objects import Obj, is_deleting, labels_of, name_of, uid_of
from skerry.kube.selectors import selector_of

_BUDGETS = "poddisruptionbudgets.policy"
_MOST_GRANTED = 2000
"""Evictions granted and not yet seen to have happened, per budget (`MaxDisruptedPodSize`)."""
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_RETRY_SECONDS = 10


async def evict(backend: Backend, request: Request) -> Response:
    """Delete the pod with the eviction's `deleteOptions`. Raises NotFound, Conflict, BadRequest, TooManyRequests when a
    budget does not allow it now."""
    written = write_options(request.query)
    eviction = await read_object(request, EVICTION, written.field_validation)
    name = eviction["metadata"].get("name")
    if name and name != request.what.name:
        raise BadRequest(f'name in URL does not match name in Eviction object: "{name}" "{request.what.name}"')
    dry_run = {"dryRun": "All"} if written.dry_run else {}
    options = delete_options(dry_run, eviction.get("deleteOptions"))
    await backend.admission.admit(Attributes("CREATE", request, request.what, eviction, None, written))
    pod = find(backend, request.what).shared()
    if not _goes_anyway(pod):
        await _ask_budget(backend, request, pod, written)
        options = await _announce(backend, request, pod, options, written)
    await delete_one(backend, request, request.what, options, admitted=True)
    return Computed(SUCCESS, 201)


def _goes_anyway(pod: Obj) -> bool:
    """Pods that do no work yet or no more, and pods on their way out, cost no budget (`canIgnorePDB`)."""
    return is_deleting(pod) or (pod.get("status") or {}).get("phase", "Pending") in ("Succeeded", "Failed", "Pending")


async def _ask_budget(backend: Backend, request: Request, pod: Obj, written: WriteOptions) -> None:
    """Take one disruption from the budget that selects the pod. Raises TooManyRequests, Forbidden, InternalError."""
    budgets = [entry for entry in backend.store.list(_BUDGETS, request.what.namespace) if _selects(entry, pod)]
    if not budgets:
        return
    if len(budgets) > 1:
        why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise InternalError(why)
    if _needs_no_budget(budgets[0].shared(), pod):
        return
    kind = backend.registry.kind("policy", "v1", "poddisruptionbudgets")
    assert kind is not None, "a built-in kind"
    of_budget = replace(request, target=Target(kind, request.what.namespace, budgets[0].key.name))
    now = rfc3339(backend.clock.now())
    taken = Change(lambda entry: granted(entry.decode(), name_of(pod), now), _nothing, written, trusted=True)
    await change(backend, of_budget, taken)


def _selects(budget: Entry, pod: Obj) -> bool:
    selector = (budget.shared().get("spec") or {}).get("selector")
    return selector is not None and selector_of(selector).matches(labels_of(pod))


def _needs_no_budget(budget: Obj, pod: Obj) -> bool:
    """A pod that is not healthy anyway: by the budget's policy it may go always, or when enough others are."""
    if condition_is_true(pod, "Ready"):
        return False
    policy = (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") or "IfHealthyBudget"
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy") or 0
    return policy == "AlwaysAllow" or bool(0 < desired <= (status.get("currentHealthy") or 0))


def granted(budget: Obj, pod: str, now: str) -> Obj:
    """`budget` (private) with one disruption less, for `pod`. Raises TooManyRequests, Forbidden."""
    name, status = name_of(budget), budget.setdefault("status", {})
    if (status.get("observedGeneration") or 0) < budget["metadata"].get("generation", 0):
        raise _later(f"The disruption budget {name} is still being processed by the server.", _RETRY_SECONDS)
    if len(status.get("disruptedPods") or ()) > _MOST_GRANTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise Forbidden(f'{_BUDGETS} "{name}" is forbidden: {why}')
    allowed = status.get("disruptionsAllowed") or 0
    if allowed <= 0:
        needs, has = status.get("desiredHealthy") or 0, status.get("currentHealthy") or 0
        raise _later(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently", 0)
    status["disruptionsAllowed"] = allowed - 1
    status["disruptedPods"] = {**(status.get("disruptedPods") or {}), pod: now}
    return budget


def _later(why: str, seconds: int) -> TooManyRequests:
    details: Obj = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    return TooManyRequests(_REFUSED, {**details, "retryAfterSeconds": seconds} if seconds else details)


async def _announce(
    backend: Backend, request: Request, pod: Obj, options: DeleteOptions, written: WriteOptions
) -> DeleteOptions:
    """Say on the pod why it goes; the deletion is then of this very pod."""
    now = backend.clock.now()
    disrupted: Obj = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    disrupted |= {"message": "Eviction API: evicting", "lastProbeTime": None}

    def wanted(entry: Entry) -> Obj:
        marked = entry.decode()
        status = marked.setdefault("status", {})
        status["conditions"] = with_condition(conditions_of(marked), disrupted, now)
        return marked

    await change(backend, request, Change(wanted, _nothing, written, trusted=True))
    return options if options.uid else replace(options, uid=uid_of(pod))


def _nothing(new: Obj, old: Obj) -> None:
    """An eviction touches only what it means to."""
