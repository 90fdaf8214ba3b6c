"""What garbage collection does with one object, given what is known of its owners. Pure.

Source: Kubernetes `pkg/controller/garbagecollector` (attemptToDeleteItem). An owner is *solid* when it exists and does
not wait for its dependents; *waiting* when it is being deleted in the foreground; *absent* when no object of that uid
exists. While one owner is solid the object stays and only loses its other references.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from skerry.kube.objects import Obj, is_deleting, uid_of
from skerry.kube.records import record

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
Standing = Literal["solid", "waiting", "absent"]
Policy = Literal["Background", "Foreground", "Orphan"]


@record
class Keep:
    """Nothing to do."""


@record
class DropReferences:
    """Take the references to these uids out; the object stays."""

    uids: frozenset[str]


@record
class Delete:
    """Delete it so. `unblock`: first let its references no longer hold up their owners, to break a circle."""

    policy: Policy
    unblock: bool = False


Action = Keep | DropReferences | Delete


def owner_references(obj: Obj) -> list[Obj]:
    """`metadata.ownerReferences`, [] when absent."""
    return obj.get("metadata", {}).get("ownerReferences") or []


def finalizers_of(obj: Obj) -> list[str]:
    """`metadata.finalizers`, [] when absent."""
    return obj.get("metadata", {}).get("finalizers") or []


def awaits_dependents(obj: Obj) -> bool:
    """Whether it is being deleted in the foreground."""
    return is_deleting(obj) and FOREGROUND in finalizers_of(obj)


def orphans_dependents(obj: Obj) -> bool:
    """Whether it is being deleted and its dependents are to stay."""
    return is_deleting(obj) and ORPHAN in finalizers_of(obj)


def decide(obj: Obj, standings: Sequence[tuple[Obj, Standing]], dependents: Sequence[Obj]) -> Action:
    """`standings`: each owner reference with how its owner stands. `dependents`: what `obj` itself owns."""
    if not standings or is_deleting(obj):
        return Keep()
    gone = frozenset(reference["uid"] for reference, standing in standings if standing != "solid")
    if len(gone) < len({reference["uid"] for reference, _ in standings}):
        return DropReferences(gone) if gone else Keep()
    if dependents and any(standing == "waiting" for _, standing in standings):
        return Delete("Foreground", unblock=any(awaits_dependents(one) for one in dependents))
    return Delete(_policy(obj))


def _policy(obj: Obj) -> Policy:
    if ORPHAN in finalizers_of(obj):
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers_of(obj) else "Background"


def blocks(dependent: Obj, owner_uid: str) -> bool:
    """Whether a foreground deletion of the owner must wait for this dependent."""
    return any(one["uid"] == owner_uid and one.get("blockOwnerDeletion") for one in owner_references(dependent))


def without_references(obj: Obj, uids: frozenset[str]) -> list[Obj]:
    """The owner references but those to these uids."""
    return [one for one in owner_references(obj) if one["uid"] not in uids]


def needs_a_look(old: Obj | None, new: Obj) -> bool:
    """Whether a change could matter: ownership, or the start of a deletion."""
    if old is None:
        return bool(owner_references(new)) or is_deleting(new)
    before, after = old["metadata"], new["metadata"]
    fields = ("ownerReferences", "deletionTimestamp", "finalizers")
    return any(before.get(field) != after.get(field) for field in fields)


def uid_index(obj: Obj) -> Sequence[str]:
    """For a cache's index: the uids of an object's owners."""
    references = owner_references(obj)
    return tuple({one["uid"] for one in references}) if references else ()


def same(obj: Obj | None, uid: str) -> bool:
    """Whether this is the object of that uid."""
    return obj is not None and uid_of(obj) == uid
