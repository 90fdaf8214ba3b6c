"""Objects and collections to the bytes of an answer, in the form negotiated.

The plain form joins what the store keeps encoded; only tables, metadata-only answers, YAML and `pretty` decode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from skerry.engine.api.http.negotiation import Form
from skerry.engine.api.response import Computed, Event, Listing, Stored
from skerry.engine.schema.contract import Kind
from skerry.engine.store.contract import Entry
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj

_SHORT = 16 * 1024
"""Bytes of an object up to which its lines are kept for other watchers."""


class Encoder:
    """Encodes answers in one form. `include`: how much of an object a table's rows carry (`includeObject`).
    `now`: for ages."""

    def __init__(self, form: Form, query: Mapping[str, str], now: datetime) -> None:
        self._form = form
        self._plain = form.shape in ("object", "discovery")
        self._include = query.get("includeObject") or "Metadata"
        self._now = now
        pretty = query.get("pretty", "false") if query else "false"
        self._indent = pretty.lower() not in ("false", "0", "f")
        self.joins = self._plain and not form.yaml and not form.protobuf and not self._indent
        """Whether stored bytes can be sent as they are."""

    def stored(self, answer: Stored) -> bytes:
        """One stored object."""
        if self.joins:
            return answer.entry.value
        return self.dump(self._shaped(answer.kind, answer.entry.decode()))

    def computed(self, answer: Computed) -> bytes:
        """One computed object; a table of it only where it is of a kind."""
        if self._plain or answer.kind is None:
            return self.dump(answer.obj)
        return self.dump(self._shaped(answer.kind, answer.obj))

    def listing(self, answer: Listing) -> bytes:
        """A collection."""
        if self.joins:
            return _join(answer)
        metadata, items = _metadata(answer), [entry.decode() for entry in answer.entries]
        if self._form.shape == "table":
            return self.dump(self._table(answer.kind, items, metadata))
        if self._form.shape == "partial":
            listed = [self._partial(item) for item in items]
            return self.dump(self._meta("PartialObjectMetadataList", {"metadata": metadata, "items": listed}))
        return self.dump({**_list_type(answer.kind), "metadata": metadata, "items": items})

    def event(self, kind: Kind, event: Event) -> bytes:
        """One watch event, with the newline that ends it or the length before it."""
        if self._form.protobuf:
            obj = event.entry.shared() if event.entry else self._bookmark(kind, event)
            return self._frame(event.type, obj)
        if event.entry is None:
            payload = orjson.dumps(self._bookmark(kind, event))
        elif self.joins:
            return _line(event.type, event.entry)
        elif self._plain:
            payload = orjson.dumps(event.entry.shared())
        else:
            payload = orjson.dumps(self._shaped(kind, event.entry.shared()))
        return b'{"type":"%b","object":%b}\n' % (event.type.encode(), payload)

    def error_event(self, error: StatusError) -> bytes:
        """How a watch that cannot go on ends."""
        if self._form.protobuf:
            return self._frame("ERROR", error.to_json())
        return b'{"type":"ERROR","object":%b}\n' % orjson.dumps(error.to_json())

    def dump(self, obj: Any) -> bytes:
        """JSON, indented JSON, YAML or protobuf."""
        if self._form.protobuf:
            from skerry.engine.api.protobuf.encode import encode  # its table is read when a client wants it

            return encode(obj)
        if self._form.yaml:
            import yaml  # costs 10 ms, and few clients ask for it

            return yaml.safe_dump(obj, sort_keys=True, allow_unicode=True).encode()
        return orjson.dumps(obj, option=orjson.OPT_INDENT_2) + b"\n" if self._indent else orjson.dumps(obj)

    @property
    def stream_type(self) -> bytes:
        """The `Content-Type` of a watch."""
        return b"%b;stream=watch" % self._form.content_type if self._form.protobuf else b"application/json"

    @staticmethod
    def _frame(type: str, obj: Obj) -> bytes:
        from skerry.engine.api.protobuf.encode import watch_event

        return watch_event(type, obj)

    def _shaped(self, kind: Kind, obj: Obj) -> Obj:
        if self._form.shape == "table":
            metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return self._table(kind, [obj], metadata)
        return self._partial(obj) if self._form.shape == "partial" else obj

    def _table(self, kind: Kind, items: Sequence[Obj], metadata: Obj) -> Obj:
        from skerry.engine.schema.table import table  # printing is for people: not at start

        shown = table(kind, items, metadata, self._now, self._include)
        return shown if self._form.version == "v1" else {**shown, "apiVersion": "meta.k8s.io/v1beta1"}

    def _partial(self, obj: Obj) -> Obj:
        return self._meta("PartialObjectMetadata", {"metadata": obj["metadata"]})

    def _meta(self, kind: str, rest: Obj) -> Obj:
        return {"kind": kind, "apiVersion": f"meta.k8s.io/{self._form.version}", **rest}

    def _bookmark(self, kind: Kind, event: Event) -> Obj:
        metadata: Obj = {"resourceVersion": str(event.revision), "creationTimestamp": None}
        if event.initial_events_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        resource = kind.resource
        bookmark: Obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._form.shape == "table":
            shown = self._table(kind, [], {"resourceVersion": str(event.revision)})
            if event.initial_events_end:
                shown = {**shown, "rows": [{"cells": [], "object": self._meta_v1(metadata)}]}
            return shown
        return self._partial(bookmark) if self._form.shape == "partial" else bookmark

    @staticmethod
    def _meta_v1(metadata: Obj) -> Obj:
        return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}


def _line(type: str, entry: Entry) -> bytes:
    """A watch's line, made once for all who watch."""
    return _short_line(type, entry) if len(entry.value) < _SHORT else _new_line(type, entry)


def _new_line(type: str, entry: Entry) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (type.encode(), entry.value)


_short_line = lru_cache(128)(_new_line)


def _join(answer: Listing) -> bytes:
    head = orjson.dumps({**_list_type(answer.kind), "metadata": _metadata(answer)})
    return b'%b,"items":[%b]}\n' % (head[:-1], b",".join([entry.value for entry in answer.entries]))


def _list_type(kind: Kind) -> Obj:
    return {"kind": kind.listed_as, "apiVersion": kind.resource.api_version}


def _metadata(answer: Listing) -> Obj:
    metadata: Obj = {"resourceVersion": str(answer.revision)}
    if answer.next_token:
        metadata["continue"] = answer.next_token
    if answer.remaining is not None:
        metadata["remainingItemCount"] = answer.remaining
    return metadata
