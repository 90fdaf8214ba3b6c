"""Waiting until a cluster serves new kinds. Source: the condition `Established` of CustomResourceDefinitions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from skerry.kube.client import Client
from skerry.kube.conditions import condition_is_true
from skerry.kube.objects import name_of
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS


async def until_served(client: Client, names: Iterable[str], seconds: float) -> None:
    """Return when all these definitions ("projects.skerry.dev") are served. Raises TimeoutError, StatusError."""
    missing = set(names)
    if not missing:
        return
    listed = await client.list(CUSTOM_RESOURCE_DEFINITIONS)
    missing -= {name_of(one) for one in listed.items if condition_is_true(one, "Established")}
    async with (
        asyncio.timeout(seconds),
        client.watch(CUSTOM_RESOURCE_DEFINITIONS, resource_version=listed.resource_version) as events,
    ):
        while missing:
            event = await anext(aiter(events))
            if condition_is_true(event.object, "Established"):
                missing.discard(name_of(event.object))
