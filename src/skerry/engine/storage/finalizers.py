"""Finalizers put on and taken off, by a patch that fails when the object changed since it was read."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource, name_of, namespace_of


def finalizers_of(obj: Obj) -> Sequence[str]:
    """[] when absent."""
    return obj["metadata"].get("finalizers") or []


async def with_finalizer(client: Client, resource: Resource, obj: Obj, *names: str) -> Obj:
    """The object with these finalizers, written unless it has them. Raises Conflict, NotFound."""
    missing = [name for name in names if name not in finalizers_of(obj)]
    return await _write(client, resource, obj, [*finalizers_of(obj), *missing]) if missing else obj


async def without_finalizer(client: Client, resource: Resource, obj: Obj, *names: str) -> None:
    """Take these finalizers off, if they are there; harmless when the object is gone. Raises Conflict."""
    kept = [name for name in finalizers_of(obj) if name not in names]
    if len(kept) == len(finalizers_of(obj)):
        return
    try:
        await _write(client, resource, obj, kept)
    except NotFound:
        return


async def _write(client: Client, resource: Resource, obj: Obj, finalizers: Sequence[str]) -> Obj:
    metadata = {"finalizers": list(finalizers), "resourceVersion": obj["metadata"]["resourceVersion"]}
    return await client.patch(resource, name_of(obj), {"metadata": metadata}, namespace_of(obj) or None)
