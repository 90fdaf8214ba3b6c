"""Label and field selectors of a request as one test on stored objects.

Objects are decoded only when a selector needs it; a selection by name alone looks at the key.
"""

from __future__ import annotations

from dataclasses import replace

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.fields import FieldSelector, parse_fields
from skerry.engine.store.contract import Entry
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj, labels_of
from skerry.kube.records import record
from skerry.kube.selectors import Selector, SelectorError, parse_selector


@record
class Selection:
    """What part of a collection is wanted. `name`: only the object so named (a field selector may say so)."""

    labels: Selector | None = None
    fields: FieldSelector | None = None
    name: str | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is filtered out."""
        return self.labels is None and self.fields is None and self.name is None

    def named(self, name: str) -> Selection:
        """The same, of one object only."""
        return replace(self, name=name)

    def matches(self, entry: Entry, *, keep: bool = False) -> bool:
        """Whether an object is wanted. `keep`: leave it decoded for others (watchers share events)."""
        if self.name is not None and entry.key.name != self.name:
            return False
        if self.labels is None and self.fields is None:
            return True
        return self.selects(entry.shared() if keep else entry.decode())

    def selects(self, obj: Obj) -> bool:
        """`matches` for an object at hand (its name is not looked at)."""
        if self.labels is not None and not self.labels.matches(labels_of(obj)):
            return False
        return self.fields is None or self.fields.matches(obj)


EVERYTHING = Selection()


def select(kind: Kind, label_selector: str, field_selector: str) -> Selection:
    """Read the selectors of a request. Raises BadRequest with what is wrong."""
    if not label_selector and not field_selector:
        return EVERYTHING
    try:
        labels = parse_selector(label_selector) if label_selector else None
    except SelectorError as error:
        raise BadRequest(f"unable to parse requirement: {error}") from error
    fields = parse_fields(kind, field_selector) if field_selector else None
    name = fields.required("metadata.name") if fields else None
    if fields and name is not None and len(fields.requirements) == 1:
        fields = None
    return Selection(labels if labels and labels.requirements else None, fields, name)
