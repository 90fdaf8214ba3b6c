"""Puts into the cluster what the platform needs before its controllers start: definitions, rights, shipped objects.

Everything is applied at every start, so that a new release brings its own up to date.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from skerry.kube.client import Client
from skerry.kube.definitions import until_served
from skerry.kube.errors import AlreadyExists
from skerry.kube.objects import Obj, Resource, annotations_of
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS
from skerry.platform.base.applying import apply, apply_all
from skerry.platform.base.capability import INITIAL, Capability
from skerry.platform.base.kinds import definition
from skerry.platform.program.rights import rights_of

_SECONDS_TO_SERVE = 60.0


async def install(client: Client, capabilities: Sequence[Capability]) -> None:
    """Returns when all kinds are served. Raises StatusError, OSError, TimeoutError."""
    kinds = [kind for one in capabilities for kind in one.kinds]
    resources = {kind.resource.kind: kind.resource for kind in kinds}
    await asyncio.gather(*(apply(client, CUSTOM_RESOURCE_DEFINITIONS, definition(kind)) for kind in kinds))
    await apply_all(client, rights_of(capabilities))
    await until_served(client, {definition(kind)["metadata"]["name"] for kind in kinds}, _SECONDS_TO_SERVE)
    shipped = [(_resource_of(one, resources), one) for capability in capabilities for one in capability.objects()]
    await apply_all(client, [one for one in shipped if INITIAL not in annotations_of(one[1])])
    for resource, obj in shipped:
        if INITIAL in annotations_of(obj):
            await _make_if_missing(client, resource, obj)


async def _make_if_missing(client: Client, resource: Resource, obj: Obj) -> None:
    with contextlib.suppress(AlreadyExists):
        await client.create(resource, obj)


def _resource_of(obj: Obj, own: dict[str, Resource]) -> Resource:
    if obj["kind"] in own:
        return own[obj["kind"]]
    group, _, version = obj["apiVersion"].rpartition("/")
    namespaced = "namespace" in obj["metadata"]
    return Resource(group, version, _plural(obj["kind"].lower()), obj["kind"], namespaced)


def _plural(singular: str) -> str:
    return f"{singular.removesuffix('y')}ies" if singular.endswith("y") else f"{singular}s"
