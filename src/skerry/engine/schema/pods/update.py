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
    if before.get("terminationGracePeriodSeconds", 0) < 0 and after.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    return munged


def _difference(after: Obj, before: Obj) -> str:
    changed = sorted(key for key in after.keys() | before.keys() if after.get(key) != before.get(key))
    return "changed: " + ", ".join(f"spec.{key}" for key in changed)
