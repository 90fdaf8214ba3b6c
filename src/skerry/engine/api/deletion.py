"""Deciding what a deletion does to an object: gone at once, marked and waiting, or nothing. Pure.

Source: `apiserver/pkg/registry/rest/delete.go` (BeforeDelete), the pod strategy's CheckGracefulDelete, and
`registry/generic/registry/store.go` (finalizers by propagation policy).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from skerry.engine.api.options import DeleteOptions
from skerry.engine.api.request import Target
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.errors import conflict
from skerry.kube.objects import Obj
from skerry.kube.records import record

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_DEFAULT_POD_GRACE = 30


@record
class Decision:
    """`gone`: remove now. Otherwise `marked` is the object to store while it waits; None: leave it as it is."""

    gone: bool
    marked: Obj | None = None


def decide(target: Target, obj: Obj, options: DeleteOptions, now: datetime) -> Decision:
    """What deleting `obj` (private; it may be changed and returned in the decision) comes to."""
    if not obj["metadata"].get("deletionTimestamp"):
        target.kind.strategy.prepare_delete(obj, rfc3339(now))
    grace = _grace(target, obj, options)
    finalizers = _finalizers(obj, propagation(target, obj, options))
    waits = bool(finalizers) or bool((obj.get("spec") or {}).get("finalizers") and _is_namespace(target))
    metadata = obj["metadata"]
    before = (metadata.get("deletionTimestamp"), metadata.get("deletionGracePeriodSeconds"), metadata.get("finalizers"))
    if not waits and grace == 0:
        return Decision(gone=True)
    _mark(target, obj, grace, now)
    if finalizers != (metadata.get("finalizers") or []):
        metadata["finalizers"] = finalizers
    after = (metadata.get("deletionTimestamp"), metadata.get("deletionGracePeriodSeconds"), metadata.get("finalizers"))
    return Decision(gone=False, marked=None if before == after else obj)


def propagation(target: Target, obj: Obj, options: DeleteOptions) -> str:
    """The policy the client chose; without one, the kind's own unless an earlier request has decided."""
    decided = any(name in (FOREGROUND, ORPHAN) for name in obj["metadata"].get("finalizers") or ())
    if options.propagation or decided or not target.kind.strategy.orphans_by_default:
        return options.propagation
    return "Orphan"


def check_preconditions(target: Target, obj: Obj, options: DeleteOptions) -> None:
    """Raise Conflict unless uid and resourceVersion are those the client expects."""
    metadata = obj["metadata"]
    for name, field, wanted in (
        ("UID", "uid", options.uid),
        ("ResourceVersion", "resourceVersion", options.resource_version),
    ):
        if wanted and metadata.get(field) != wanted:
            why = f"Precondition failed: {name} in precondition: {wanted}, {name} in object meta: {metadata.get(field)}"
            raise conflict(target.group_resource, target.name, why)


def _grace(target: Target, obj: Obj, options: DeleteOptions) -> int:
    """Seconds the object is given to stop; only pods that run somewhere get any."""
    if target.group_resource != "pods":
        return 0
    if not obj.get("spec", {}).get("nodeName") or obj.get("status", {}).get("phase") in ("Failed", "Succeeded"):
        return 0
    grace: int = obj["spec"].get("terminationGracePeriodSeconds", _DEFAULT_POD_GRACE)
    if options.grace is not None:
        grace = options.grace
    return max(grace, 1) if grace < 0 else grace


def _finalizers(obj: Obj, propagation: str) -> list[str]:
    """The finalizers after the policy has had its say; without one, those there stay."""
    finalizers = list(obj["metadata"].get("finalizers") or ())
    if not propagation:
        return finalizers
    kept = [name for name in finalizers if name not in (FOREGROUND, ORPHAN)]
    if propagation == "Foreground":
        kept.append(FOREGROUND)
    if propagation == "Orphan":
        kept.append(ORPHAN)
    return kept


def _mark(target: Target, obj: Obj, grace: int, now: datetime) -> None:
    """Set the deletion's time, or bring it forward; it is never put off."""
    metadata = obj["metadata"]
    if metadata.get("deletionTimestamp"):
        left = metadata.get("deletionGracePeriodSeconds") or 0
        if left > grace:
            asked_at = parse_time(metadata["deletionTimestamp"]) - timedelta(seconds=left)
            metadata["deletionTimestamp"] = rfc3339(asked_at + timedelta(seconds=grace))
            metadata["deletionGracePeriodSeconds"] = grace
        return
    metadata["deletionTimestamp"] = rfc3339(now + timedelta(seconds=grace))
    metadata["deletionGracePeriodSeconds"] = grace
    if metadata.get("generation"):
        metadata["generation"] += 1
    if _is_namespace(target):
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}


def _is_namespace(target: Target) -> bool:
    return target.group_resource == "namespaces"
