"""Who changed a project: noted by admission, which alone knows who it is, and taken over into the history.

A webhook cannot write a status, so the last changes stand in an annotation that nobody else can set: whatever is
written there is replaced. `Lifecycle` moves lines that the history does not have yet. Pure but for the hook.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj, annotations_of
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import NAMESPACE, Context
from skerry.platform.projects.types import CHANGES, PROJECTS

_KEPT = 20
_OURSELVES = f"system:serviceaccount:{NAMESPACE}:projects"
_RULE: Obj = {
    "apiGroups": [PROJECTS.group],
    "apiVersions": ["*"],
    "resources": [PROJECTS.plural],
    "operations": ["CREATE", "UPDATE"],
    "scope": "*",
}


def recording_hook(context: Context) -> Hook:
    """For the capability."""

    async def note(review: Review) -> Verdict:
        before = annotations_of(review.old).get(CHANGES) if review.old else None
        after = _with_changes(before, review, rfc3339(context.clock.now()))
        if after == annotations_of(review.object).get(CHANGES):
            return ADMITTED
        return Verdict(patch=_patch(review.object, after))

    return Hook("project-changes", note, (_RULE,), mutating=True)


def _with_changes(before: str | None, review: Review, time: str) -> str | None:
    if review.user == _OURSELVES:
        return before  # what we do for somebody is told by whoever does it
    if review.operation == "CREATE":
        said = ["made"]
    else:
        said = list(changes(review.old.get("spec") or {}, review.object.get("spec") or {}))
    if not said:
        return before
    line = {"time": time, "what": "; ".join(said), "by": review.user}
    return orjson.dumps([*noted(before), line][-_KEPT:]).decode()


def noted(annotation: str | None) -> list[Obj]:
    """The lines of an annotation; [] when it is spoilt."""
    try:
        lines = orjson.loads(annotation or "[]")
    except orjson.JSONDecodeError:
        return []
    return [one for one in lines if isinstance(one, dict)] if isinstance(lines, list) else []


def unrecorded(project: Obj) -> list[Obj]:
    """Lines of the annotation that the history does not have."""
    history = (project.get("status") or {}).get("history") or []
    return [one for one in noted(annotations_of(project).get(CHANGES)) if one not in history]


def _patch(obj: Obj, value: str | None) -> list[Obj]:
    metadata = obj.get("metadata") or {}
    path = f"/metadata/annotations/{CHANGES.replace('~', '~0').replace('/', '~1')}"
    if value is None:
        return [{"op": "remove", "path": path}]
    first = [] if metadata.get("annotations") else [{"op": "add", "path": "/metadata/annotations", "value": {}}]
    return [*first, {"op": "add", "path": path, "value": value}]


def changes(before: Obj, after: Obj) -> Iterator[str]:
    """What differs between two specs, in words."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name == "overrides":
            yield from changes(old or {}, new or {})
        elif isinstance(old or new, list):
            yield from _members(name, old or [], new or [])
        elif isinstance(old or new, dict):
            yield from (f"{name}.{one}" for one in changes(old or {}, new or {}))
        else:
            yield f"{name}: {_shown(old)} -> {_shown(new)}"


def _members(name: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    for sign, these, those in (("+", new, old), ("-", old, new)):
        yield from (f"{name} {sign}{_who(one)}" for one in these if one not in those)


def _who(one: Any) -> str:
    if not isinstance(one, dict):
        return str(one)
    return f"{one.get('user') or one.get('group')} ({one.get('role')})"


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
