"""Who manages the replicas when they are written through `/scale`: the Scale's managedFields become the object's.

Neighbours: `scale` (the verbs), `engine.schema.managed.scale` (the translation).
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.engine.api.backend import Backend
from skerry.engine.api.options import WriteOptions
from skerry.engine.api.request import Request
from skerry.engine.api.tracking import Track, write_of
from skerry.engine.schema.bodies import SCALE
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.managed.scale import entries_of_parent, entries_of_scale
from skerry.engine.schema.managed.updates import track_update
from skerry.kube.objects import Obj

_REPLICAS = ("spec", "replicas")


def managed_scale(kind: Kind, obj: Obj, shown: Obj) -> Obj:
    """`shown`, the Scale of an object, with the entries of those who manage the replicas."""
    entries = entries_of_scale(obj["metadata"].get("managedFields"), _replicas(kind))
    return {**shown, "metadata": {**shown["metadata"], "managedFields": entries}}


def hand_back(kind: Kind, obj: Obj, old: Obj, scale: Obj) -> None:
    """Give `obj` (private) the entries of `old` as `scale`, which was written, has changed them."""
    had, given = old["metadata"].get("managedFields"), scale["metadata"].get("managedFields")
    entries = entries_of_parent(had, given, kind.resource.api_version, _replicas(kind))
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def scale_tracker(backend: Backend, request: Request, options: WriteOptions, scale_of: Callable[[Obj], Obj]) -> Track:
    """The hook for an update or patch of the Scale."""
    kind, write = request.what.kind, write_of(backend, request, options, SCALE)

    def track(new: Obj, old: Obj) -> None:
        before, after = managed_scale(kind, old, scale_of(old)), scale_of(new)
        track_update(after, before, write)
        hand_back(kind, new, old, after)

    return track


def _replicas(kind: Kind) -> tuple[str, ...]:
    return kind.scale.replicas if kind.scale is not None else _REPLICAS
