"""The one place where a status is written: conditions with their times, and nothing when nothing changed.

A reconciler works out what is the case and calls `write_status` once, at its end; `apply_status` where others write
other parts of the same status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skerry.kube.client import Client
from skerry.kube.clock import Clock
from skerry.kube.conditions import conditions_of, with_condition
from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record


@record
class Condition:
    """One of a status. `reason` in CamelCase; `message` says what to do when it is not as it should be."""

    type: str
    is_true: bool
    reason: str
    message: str = ""


async def write_status(
    client: Client, clock: Clock, resource: Resource, obj: Obj, conditions: tuple[Condition, ...], **fields: Any
) -> None:
    """Make an object's status say this. `fields`: names as the status has them. Raises StatusError."""
    wanted = status_of(obj, conditions, fields, clock)
    if wanted != (obj.get("status") or {}):
        await client.update(resource, {**obj, "status": wanted}, "status")


async def apply_status(
    client: Client, clock: Clock, resource: Resource, obj: Obj, conditions: tuple[Condition, ...], **fields: Any
) -> None:
    """Make one writer's part of a status say this, where several write: by server-side apply, so that none of them
    waits for another. `client`: of a field manager of its own; it says all of its part each time, and what it said
    before and does not say now, or is None, goes. Raises StatusError (Conflict: it is another object by now)."""
    wanted = status_of(obj, conditions, fields, clock)
    if wanted == (obj.get("status") or {}):
        return
    types = {one.type for one in conditions}
    part = {name: value for name, value in fields.items() if value is not None}
    part["conditions"] = [one for one in wanted["conditions"] if one["type"] in types]
    part["observedGeneration"] = wanted["observedGeneration"]
    metadata = {name: obj["metadata"][name] for name in ("name", "namespace", "uid") if name in obj["metadata"]}
    whole = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "status": part}
    namespace = metadata.get("namespace")
    await client.patch(resource, metadata["name"], whole, namespace, kind="apply", subresource="status")


def status_of(obj: Obj, conditions: tuple[Condition, ...], fields: Mapping[str, Any], clock: Clock) -> Obj:
    """The whole status; what is not named stays as it is, what is None goes."""
    generation = obj["metadata"].get("generation", 1)
    listed = conditions_of(obj)
    for one in conditions:
        new = {
            "type": one.type,
            "status": "True" if one.is_true else "False",
            "reason": one.reason,
            "message": one.message,
            "observedGeneration": generation,
        }
        listed = with_condition(listed, new, clock.now())
    whole = {**(obj.get("status") or {}), **fields, "conditions": listed, "observedGeneration": generation}
    return {name: value for name, value in whole.items() if value is not None}
