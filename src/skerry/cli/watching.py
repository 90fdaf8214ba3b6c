"""Waiting for what becomes of an object, for commands that say when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.kube.objects import Obj, Resource, name_of, namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


async def changed(client: HttpClient, resource: Resource, obj: Obj) -> None:
    """Returns when the object is another than this, gone, or the server ends the watch: ask for it again then. Raises
    StatusError, OSError."""
    from skerry.kube.client import Selection
    from skerry.kube.errors import Expired

    selection = Selection(field_selector=f"metadata.name={name_of(obj)}")
    namespace = namespace_of(obj) or None
    version = str(obj["metadata"]["resourceVersion"])
    try:
        async with client.watch(resource, namespace, selection, resource_version=version) as events:
            async for event in events:
                if event.type != "BOOKMARK":
                    return
    except Expired:
        return
