"""What of a pod may change once it exists. Source: `ValidatePodUpdate`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import forbidden, invalid
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, copy_of

_CHANGEABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check_pod_update(new: Obj, old: Obj) -> Iterator[Cause]:
    """Images, a shorter deadline, more tolerations, fewer scheduling gates; nothing else of the spec."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    if after == before:
        return
    for part in ("containers", "initContainers"):
        if len(after.get(part) or ()) != len(before.get(part) or ()):
            yield forbidden(f"spec.{part}", f"pod updates may not add or remove {_WORDS[part]}")
            return
    yield from _check_deadline(after.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds"))
    yield from _check_tolerations(after.get("tolerations") or [], before.get("tolerations") or [])
    yield from _check_gates(after.get("schedulingGates") or [], before.get("schedulingGates") or [])
    if _without_changeable(after, before) != before:
        yield forbidden("spec", f"{_CHANGEABLE}\n{_difference(_without_changeable(after, before), before)}")


_WORDS = {"containers": "containers", "initContainers": "init containers"}


def _check_deadline(after: int | None, before: int | None) -> Iterator[Cause]:
    if before is not None and after is None:
        yield invalid("spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value")
    elif before is not None and after is not None and after > before:
        yield invalid("spec.activeDeadlineSeconds", after, "must be less than or equal to previous value")


def _check_tolerations(after: list[Obj], before: list[Obj]) -> Iterator[Cause]:
    def timeless(toleration: Obj) -> Obj:
        return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}

    kept = [timeless(toleration) for toleration in after]
    if any(timeless(toleration) not in kept for toleration in before):
        yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")


def _check_gates(after: list[Obj], before: list[Obj]) -> Iterator[Cause]:
    added = [gate.get("name", "") for gate in after if gate not in before]
    if added:
        listed = ", ".join(added)
        yield forbidden("spec.schedulingGates", f"only deletion is allowed, but found new scheduling gates '{listed}'")


def _without_changeable(after: Obj, before: Obj) -> Obj:
    """The new spec with what may change set back to what it was."""
    munged = copy_of(after)
    for part in ("containers", "initContainers"):
        for mine, theirs in zip(munged.get(part) or (), before.get(part) or (), strict=True):
            mine["image"] = theirs.get("image")
    for part in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        munged.pop(part, None)
        if part in before:
            munged[part] = before[part]
    if before.get("schedulingGates"):
        _put_back_directives(munged, before)
    if before.get("terminationGracePeriodSeconds", 0) < 0 and after.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    return munged


def _put_back_directives(munged: Obj, before: Obj) -> None:
    """While a pod is gated, where it may go can be narrowed: more node labels, more expressions in each term."""
    selector, old_selector = munged.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if old_selector.items() <= selector.items():
        _set_or_drop(munged, "nodeSelector", before.get("nodeSelector"))
    new, old = munged.get("affinity") or {}, before.get("affinity") or {}
    rest = {key: value for key, value in new.items() if key != "nodeAffinity"}
    old_rest = {key: value for key, value in old.items() if key != "nodeAffinity"}
    if rest == old_rest and _is_narrower(new.get("nodeAffinity") or {}, old.get("nodeAffinity") or {}):
        _set_or_drop(munged, "affinity", before.get("affinity"))


def _is_narrower(new: Obj, old: Obj) -> bool:
    """Preferences may change at will; required terms stay as many, each with at least what it had."""
    name = "requiredDuringSchedulingIgnoredDuringExecution"
    if not old.get(name):
        return True
    terms, old_terms = (one.get("nodeSelectorTerms") or [] for one in (new.get(name) or {}, old[name]))
    return len(terms) == len(old_terms) and all(map(_keeps, terms, old_terms))


def _keeps(term: Obj, old: Obj) -> bool:
    """Expressions are appended, never changed; a term that selects nothing stays."""
    parts = ("matchExpressions", "matchFields")
    if not any(old.get(part) for part in parts):
        return term == old
    return all((term.get(part) or [])[: len(old.get(part) or [])] == (old.get(part) or []) for part in parts)


def _set_or_drop(spec: Obj, part: str, value: object) -> None:
    if value is None:
        spec.pop(part, None)
    else:
        spec[part] = value


def _difference(after: Obj, before: Obj) -> str:
    changed = sorted(key for key in after.keys() | before.keys() if after.get(key) != before.get(key))
    return "changed: " + ", ".join(f"spec.{key}" for key in changed)
