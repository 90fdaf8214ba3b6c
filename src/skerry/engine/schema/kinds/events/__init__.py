"""events.k8s.io/v1: the core group's events under the names the newer API gives their fields."""

from __future__ import annotations

from skerry.engine.schema.conversions import FieldMapping
from skerry.engine.schema.kinds.declare import Group
from skerry.engine.schema.kinds.events.event import NewEventStrategy
from skerry.engine.schema.kinds.events.mapping import to_core, to_events

GROUP = Group("events.k8s.io", "v1", "io.k8s.api.events")
_FIELDS = (
    "regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion",
    "regarding.resourceVersion", "regarding.fieldPath", "reason", "reportingController", "type",
)  # fmt: skip

KINDS = [
    GROUP.kind(
        "events",
        "Event",
        "ev",
        selectable=_FIELDS,
        strategy=NewEventStrategy(),
        storage_group="",
        conversion=FieldMapping(to_events, to_core),
    ),
]
