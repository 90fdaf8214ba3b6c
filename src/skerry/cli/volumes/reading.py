"""Asks a cluster for claims, pods and what volumes hold.

Usage comes from the kubelets (`nodes/proxy`), which administrators may ask. Whoever may not has `df` run in the pods
that have the volumes mounted, which their own rights allow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from skerry.cli.volumes import facts, inside
from skerry.cli.volumes.facts import Claim, Measured
from skerry.kube.objects import Obj, Resource, namespace_of
from skerry.kube.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PODS
from skerry.kube.tasks import together

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_PARTS = 500
"""Objects asked for at once."""
_AT_ONCE = 8
"""Pods in which `df` runs at once."""


async def read_claims(client: HttpClient, namespace: str | None) -> list[Claim]:
    """All claims of a namespace, None: of all. Raises StatusError, OSError."""
    claims, pods = await together(
        everything(client, PERSISTENT_VOLUME_CLAIMS, namespace), everything(client, PODS, namespace)
    )
    return facts.claims_of(claims, pods, await measures(client, pods))


async def everything(client: HttpClient, resource: Resource, namespace: str | None = None) -> list[Obj]:
    """A whole collection, in parts."""
    found: list[Obj] = []
    token = ""
    while True:
        part = await client.list(resource, namespace, limit=_PARTS, next_token=token)
        found += part.items
        token = part.next_token
        if not token:
            return found


async def measures(client: HttpClient, pods: Sequence[Obj]) -> facts.Measures:
    """What the volumes of these pods hold."""
    from skerry.kube.errors import Forbidden

    users = [pod for pod in pods if facts.mounted_claims(pod) and pod["spec"].get("nodeName")]
    nodes = sorted({pod["spec"]["nodeName"] for pod in users})
    try:
        summaries = await together(*(_summary(client, node) for node in nodes))
    except Forbidden:
        return await _measured_inside(client, users)
    return {key: one for summary in summaries for key, one in facts.measures_of(summary).items()}


async def _summary(client: HttpClient, node: str) -> Obj:
    """{} of a node that does not answer: its volumes are unknown, those of others are not."""
    import orjson

    from skerry.kube.errors import Forbidden, StatusError

    try:
        body = await client.get_raw(f"{NODES.path(None, node)}/proxy/stats/summary")
        found: Obj = orjson.loads(body)
    except Forbidden:
        raise
    except (StatusError, ValueError):
        return {}
    return found


async def _measured_inside(client: HttpClient, pods: Iterable[Obj]) -> facts.Measures:
    wanted: dict[tuple[str, str], inside.Mounted] = {}
    for pod in pods:
        for claim in facts.mounted_claims(pod):
            place = inside.mounted(pod, claim)
            if place is not None:
                wanted.setdefault((namespace_of(pod), claim), place)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(place: inside.Mounted) -> Measured | None:
        async with turns:
            return await inside.df(client, place)

    found = await together(*(one(place) for place in wanted.values()))
    return {key: measured for key, measured in zip(wanted, found, strict=True) if measured is not None}
