"""What stands in the way of an apply: fields that others manage, said as Kubernetes says it.

Source: apimachinery `managedfields/internal/conflict.go`.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from skerry.engine.schema.managed.elements import shown
from skerry.engine.schema.managed.managers import UPDATE, Manager
from skerry.engine.schema.managed.sets import Set, difference, paths
from skerry.kube.errors import Cause, Conflict


class ApplyConflict(Conflict):
    """409 with one cause per field. `conflicts`: what each of the other managers would lose."""

    def __init__(self, conflicts: dict[Manager, Set]) -> None:
        self.conflicts = conflicts
        found = [(manager, path) for manager in sorted(conflicts) for path in paths(conflicts[manager])]
        causes = [
            Cause("FieldManagerConflict", f"conflict with {_named(manager)}", shown(path)) for manager, path in found
        ]
        super().__init__(_message(found), {"causes": [cause.to_json() for cause in causes]})

    def less(self, allowed: Set) -> ApplyConflict | None:
        """The conflicts beyond those allowed; None when there are none."""
        left = {manager: difference(fields, allowed) for manager, fields in self.conflicts.items()}
        left = {manager: fields for manager, fields in left.items() if fields}
        return ApplyConflict(left) if left else None


def _message(found: list[tuple[Manager, tuple[str, ...]]]) -> str:
    if len(found) == 1:
        manager, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {_named(manager)}: {shown(path)}"
    by_manager: dict[Manager, list[str]] = {}
    for manager, path in found:
        by_manager.setdefault(manager, []).append(f"- {shown(path)}")
    lines: Iterable[str] = (
        line for manager, each in by_manager.items() for line in (f"conflicts with {_named(manager)}:", *each)
    )
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def _named(manager: Manager) -> str:
    """`"kubectl" with subresource "status" using apps/v1`."""
    text = orjson.dumps(manager.name).decode()
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    return f"{text} using {manager.api_version}" if manager.operation == UPDATE else text
