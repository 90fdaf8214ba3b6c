"""A namespace for the time of one measurement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skerry.kube.client import Selection
from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import NAMESPACES

GONE_WITHIN = 120.0
"""Seconds the removal of a namespace with everything in it may take."""


@asynccontextmanager
async def temporary_namespace(client: HttpClient, name: str) -> AsyncIterator[None]:
    """Create a namespace; remove it afterwards and wait until all that was in it is gone."""
    await client.create(NAMESPACES, {"metadata": {"name": name}})
    try:
        yield
    finally:
        async with asyncio.timeout(GONE_WITHIN):
            await _remove(client, name)


async def _remove(client: HttpClient, name: str) -> None:
    selection = Selection(field_selector=f"metadata.name={name}")
    version = (await client.list(NAMESPACES, selection=selection)).resource_version
    try:
        await client.delete(NAMESPACES, name)
    except NotFound:
        return
    async with client.watch(NAMESPACES, selection=selection, resource_version=version) as events:
        async for event in events:
            if event.type == "DELETED":
                return
