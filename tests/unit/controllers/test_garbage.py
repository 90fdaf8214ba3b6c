"""What garbage collection does with one object."""

from __future__ import annotations

from skerry.engine.controllers.garbage.decide import (
    Delete,
    DropReferences,
    Keep,
    Standing,
    blocks,
    decide,
    needs_a_look,
    without_references,
)
from skerry.kube.objects import Obj


def dependent(*owners: str, finalizers: tuple[str, ...] = (), deleting: bool = False) -> Obj:
    references = [{"uid": owner, "blockOwnerDeletion": owner.startswith("block")} for owner in owners]
    metadata: Obj = {"name": "d", "uid": "d", "ownerReferences": references, "finalizers": list(finalizers)}
    return {"metadata": {**metadata, "deletionTimestamp": "x"} if deleting else metadata}


def outcome(obj: Obj, *standings: Standing, dependents: tuple[Obj, ...] = ()) -> object:
    return decide(obj, list(zip(obj["metadata"]["ownerReferences"], standings, strict=True)), dependents)


def test_kept_while_one_owner_is_solid() -> None:
    assert outcome(dependent("a"), "solid") == Keep()
    assert outcome(dependent("a", "b"), "solid", "solid") == Keep()
    assert outcome(dependent("a", "b", "c"), "solid", "absent", "waiting") == DropReferences(frozenset("bc"))


def test_deleted_when_the_last_owner_is_gone() -> None:
    assert outcome(dependent("a"), "absent") == Delete("Background")
    assert outcome(dependent("a"), "waiting") == Delete("Background")
    assert outcome(dependent("a", finalizers=("orphan",)), "absent") == Delete("Orphan")
    assert outcome(dependent("a", finalizers=("foregroundDeletion",)), "absent") == Delete("Foreground")


def test_foreground_goes_down_the_tree_and_breaks_circles() -> None:
    child = dependent("d")
    assert outcome(dependent("a"), "waiting", dependents=(child,)) == Delete("Foreground")
    waiting = dependent("d", finalizers=("foregroundDeletion",), deleting=True)
    assert outcome(dependent("a"), "waiting", dependents=(waiting,)) == Delete("Foreground", unblock=True)


def test_no_owners_or_already_going() -> None:
    assert decide({"metadata": {}}, [], []) == Keep()
    assert outcome(dependent("a", deleting=True), "absent") == Keep()


def test_blocking() -> None:
    assert blocks(dependent("block-a", "b"), "block-a")
    assert not blocks(dependent("block-a", "b"), "b")
    assert without_references(dependent("a", "b"), frozenset("a")) == [{"uid": "b", "blockOwnerDeletion": False}]


def test_only_ownership_and_deletion_need_a_look() -> None:
    one = dependent("a")
    assert needs_a_look(None, one)
    assert not needs_a_look(None, {"metadata": {}})
    assert not needs_a_look(one, {**one, "status": {"phase": "Running"}})
    assert needs_a_look(one, dependent("b"))
    assert needs_a_look(one, dependent("a", deleting=True))
