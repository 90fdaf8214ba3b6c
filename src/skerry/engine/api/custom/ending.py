"""The end of all objects of a custom resource, as its definition goes: deleted like any, finalizers and all."""

from __future__ import annotations

import asyncio
import contextlib

from skerry.engine.api.auth.authentication import user
from skerry.engine.api.backend import Backend
from skerry.engine.api.options import DeleteOptions
from skerry.engine.api.request import Request, Target
from skerry.engine.api.verbs.delete import delete_one
from skerry.engine.schema.contract import Kind
from skerry.engine.store.contract import Entry, WatchOverflow
from skerry.kube.errors import NotFound

_AT_ONCE = 64
"""Deletions on their way together: they share the store's group commits."""


async def delete_instances(backend: Backend, kind: Kind) -> None:
    """Delete all objects of a kind and return when the last has gone. Raises StatusError when one cannot be deleted."""
    store, resource = backend.store, kind.stored_as
    watch = store.watch(resource, since=store.revision)
    try:
        entries = store.list(resource)
        for start in range(0, len(entries), _AT_ONCE):
            await asyncio.gather(*(_delete(backend, kind, entry) for entry in entries[start : start + _AT_ONCE]))
        while store.count(resource):
            try:
                await watch.next()
            except WatchOverflow:
                watch = store.watch(resource, since=store.revision)
    finally:
        watch.close()


async def _delete(backend: Backend, kind: Kind, entry: Entry) -> None:
    target = Target(kind, entry.key.namespace, entry.key.name)
    request = Request(user("system:apiserver"), "delete", target)
    with contextlib.suppress(NotFound):
        await delete_one(backend, request, target, DeleteOptions())
