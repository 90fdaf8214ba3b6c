"""The conditions of a namespace that is being deleted. Source: Kubernetes `pkg/controller/namespace/deletion`."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from datetime import datetime

from skerry.kube.conditions import with_condition
from skerry.kube.objects import Obj
from skerry.kube.records import record


@record
class Remaining:
    """What a round of deletion left: objects by resource ("pods."), by finalizer, what failed, and the group
    versions of which nobody knows what there is."""

    objects: Counter[str] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    undiscovered: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether the namespace can be let go."""
        return not self.objects and not self.failures and not self.undiscovered


def deletion_conditions(conditions: list[Obj], left: Remaining, now: datetime) -> list[Obj]:
    """The conditions brought up to date; a finding that is over is only reported if it was there before."""
    for new in (_discovery(left), _PARSED, _failure(left), _content(left), _finalizers(left)):
        conditions = with_condition(conditions, new, now)
    return conditions


def _discovery(left: Remaining) -> Obj:
    """In the words of client-go's discovery, which met stale entries."""
    if left.undiscovered:
        listed = ", ".join(f"{one}: stale GroupVersion discovery: {one}" for one in left.undiscovered)
        message = f"unable to retrieve the complete list of server APIs: {listed}"
        failing = f"Discovery failed for some groups, {len(left.undiscovered)} failing: {message}"
        return _condition(_DISCOVERY, True, "DiscoveryFailed", failing)
    return _condition(_DISCOVERY, False, "ResourcesDiscovered", "All resources successfully discovered")


def _failure(left: Remaining) -> Obj:
    if left.failures:
        message = f"Failed to delete all resource types, {len(left.failures)} remaining: {', '.join(left.failures)}"
        return _condition("NamespaceDeletionContentFailure", True, "ContentDeletionFailed", message)
    message = "All content successfully deleted, may be waiting on finalization"
    return _condition("NamespaceDeletionContentFailure", False, "ContentDeleted", message)


def _content(left: Remaining) -> Obj:
    if left.objects:
        listed = [f"{name} has {count} resource instances" for name, count in sorted(left.objects.items())]
        message = f"Some resources are remaining: {', '.join(listed)}"
        return _condition("NamespaceContentRemaining", True, "SomeResourcesRemain", message)
    return _condition("NamespaceContentRemaining", False, "ContentRemoved", "All content successfully removed")


def _finalizers(left: Remaining) -> Obj:
    if left.finalizers:
        listed = [f"{name} in {count} resource instances" for name, count in sorted(left.finalizers.items())]
        message = f"Some content in the namespace has finalizers remaining: {', '.join(listed)}"
        return _condition("NamespaceFinalizersRemaining", True, "SomeFinalizersRemain", message)
    message = "All content-preserving finalizers finished"
    return _condition("NamespaceFinalizersRemaining", False, "ContentHasNoFinalizers", message)


def _condition(type_: str, holds: bool, reason: str, message: str) -> Obj:
    return {"type": type_, "status": "True" if holds else "False", "reason": reason, "message": message}


_DISCOVERY = "NamespaceDeletionDiscoveryFailure"
_PARSED = _condition(
    "NamespaceDeletionGroupVersionParsingFailure",
    False,
    "ParsedGroupVersions",
    "All legacy kube types successfully parsed",
)
