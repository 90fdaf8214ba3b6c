"""What owners may change of their Project: who is a member, what it is about, and whether it sleeps. Operators: all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skerry.kube.objects import Obj, annotations_of, labels_of
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.projects.guarding.conditions import NO_OPERATOR, rule
from skerry.platform.projects.types import CHANGES, PROJECTS

_FREE = ("members", "description", "state", "namespaces")
_STRICTER = ("runAs", "Person")
"""Owners may have their pods run as persons; that they no longer do is for whoever answers for the data they reach."""
_ASK = {
    "tier": "ask for another: skerry requests create quota",
    "overrides": "ask for more: skerry requests create quota",
    "expires": "ask for longer: skerry requests create extension",
}


def project_hook() -> Hook:
    """For the capability."""
    return Hook(
        "project-guard", judge, (rule(PROJECTS.group, [PROJECTS.plural], "UPDATE", "DELETE"),), False, {}, NO_OPERATOR
    )


async def judge(review: Review) -> Verdict:
    """A change, or the end, by somebody who is no operator."""
    if review.operation == "DELETE":
        return Verdict(
            f"operators delete projects, as all data in their namespaces goes: to stop project {review.name}, "
            "scale it to zero by spec.state Hibernated"
        )
    complaints = refused_changes(review.name, review.old, review.object)
    return Verdict("; ".join(complaints)) if complaints else ADMITTED


def refused_changes(name: str, old: Obj, new: Obj) -> list[str]:
    """What is wrong with a change by owners. Pure."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    return [
        *(_refusal(key) for key in changed if key not in _FREE and (key, after.get(key)) != _STRICTER),
        *_foreign_namespaces(name, before, after),
        *_cluster_members(before, after),
        *_metadata(old, new),
    ]


def _refusal(field: str) -> str:
    return f"only operators change spec.{field}" + (f"; {_ASK[field]}" if field in _ASK else "")


def _foreign_namespaces(name: str, before: Obj, after: Obj) -> Iterable[str]:
    for one in _added("namespaces", before, after):
        if one != name and not one.startswith(f"{name}-"):
            yield f"namespace {one} is not named {name}-...: only operators give a project other namespaces"


def _cluster_members(before: Obj, after: Obj) -> Iterable[str]:
    for one in _added("members", before, after):
        who = one.get("user") or one.get("group") or ""
        if who.startswith("system:") and not who.startswith("system:serviceaccount:"):
            yield f"{who} is a name of the cluster's own: only operators make it a member"


def _metadata(old: Obj, new: Obj) -> Iterable[str]:
    if sorted(old["metadata"].get("finalizers") or ()) != sorted(new["metadata"].get("finalizers") or ()):
        yield "only operators change metadata.finalizers"
    for kind, before, after in (
        ("label", labels_of(old), labels_of(new)),
        ("annotation", annotations_of(old), annotations_of(new)),
    ):
        for key in sorted(before.keys() | after.keys()):
            if "skerry.dev/" in key and key != CHANGES and before.get(key) != after.get(key):
                yield f"only operators change {kind} {key}"


def _added(field: str, before: Obj, after: Obj) -> list[Any]:
    there = before.get(field) or []
    return [one for one in after.get(field) or () if one not in there]
