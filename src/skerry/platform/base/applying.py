"""Server-side apply for what the platform owns: desired objects in, writes out, in an order that can work."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.client import Client
from skerry.kube.objects import Obj, Resource, name_of, namespace_of


async def apply(client: Client, resource: Resource, obj: Obj) -> Obj:
    """Apply one object as the client's field manager: what it names is taken over, other fields are left alone.
    Raises StatusError."""
    whole = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
    return await client.patch(resource, name_of(obj), whole, namespace_of(obj) or None, kind="apply")


async def apply_all(client: Client, wanted: Iterable[tuple[Resource, Obj]]) -> list[Obj]:
    """One after the other."""
    return [await apply(client, resource, obj) for resource, obj in wanted]
