"""`delete`: one object, at once or by marking it and waiting for its grace period and finalizers.

What it comes to is decided in `engine.api.deletion`. The answer is the object while it waits, and for the kinds whose
deletion Kubernetes answers with the object; a `Status` otherwise.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_delete_options
from skerry.engine.api.converting import served
from skerry.engine.api.deletion import check_preconditions, decide
from skerry.engine.api.metadata import encoder
from skerry.engine.api.options import DeleteOptions, delete_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Response, Stored
from skerry.engine.api.writing import until_written
from skerry.engine.store.contract import Entry
from skerry.kube.objects import Obj, uid_of

RETURNED = frozenset(
    {
        "pods", "services", "serviceaccounts", "persistentvolumeclaims", "persistentvolumes", "podtemplates",
        "resourcequotas", "namespaces", "nodes", "podsecuritypolicies.policy",
    }
)  # fmt: skip
"""Kinds answered with the deleted object (`ReturnDeletedObject`)."""

_ORPHANS = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set"
    " propagationPolicy=Orphan to suppress this warning"
)


async def delete(backend: Backend, request: Request) -> Response:
    """Delete what is named. Raises NotFound, Conflict (a precondition), Forbidden, Invalid."""
    options = delete_options(request.query, await read_delete_options(request))
    target = request.what
    if target.kind.strategy.orphans_by_default and not options.propagation:
        request.warnings.append(_ORPHANS)
    entry, gone = await delete_one(backend, request, target, options)
    if not gone or target.group_resource in RETURNED:
        return Stored(target.kind, await served(target.kind, entry))
    return Computed(_success(target, entry.shared()))


async def delete_one(
    backend: Backend, request: Request, target: Target, options: DeleteOptions, *, admitted: bool = False
) -> tuple[Entry, bool]:
    """The object's last or marked state, and whether it is gone. `admitted`: what asks for it was (an eviction)."""

    async def attempt(entry: Entry) -> tuple[Entry, bool]:
        check_preconditions(target, entry.shared(), options)
        if not admitted:
            old = (await served(target.kind, entry)).shared()
            await backend.admission.admit(Attributes("DELETE", request, target, None, old, options))
        return await _delete_once(backend, target, options, entry)

    return await until_written(backend, target, attempt)


async def _delete_once(backend: Backend, target: Target, options: DeleteOptions, entry: Entry) -> tuple[Entry, bool]:
    obj = entry.decode()
    decision = decide(target, obj, options, backend.clock.now())
    if options.dry_run or (not decision.gone and decision.marked is None):
        return entry, decision.gone
    if decision.gone:
        return await backend.store.delete(target.key, encoder(obj), entry.revision, obj), True
    return await backend.store.update(target.key, encoder(obj), entry.revision, obj), False


def _success(target: Target, obj: Obj) -> Obj:
    resource = target.kind.resource
    details = {"name": target.name, "group": resource.group, "kind": resource.plural, "uid": uid_of(obj)}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
