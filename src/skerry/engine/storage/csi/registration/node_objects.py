"""Keeps the CSINode object and the Node's labels as the drivers here are: one writer, as the node itself.

Neighbours: `node_facts` decides, `controller` says what is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from skerry.engine.storage.csi.registration.node_facts import (
    NodeDriver,
    csi_node,
    node_patch,
    says_the_same,
)
from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, Conflict, NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import CSI_NODES, NODES

_TRIES = 5


class NodeObjects:
    """Of one node. `client`: the node's own."""

    def __init__(self, client: Client, node: str) -> None:
        self._client = client
        self._node = node
        self._lock = asyncio.Lock()

    async def tell(
        self, third_parties: Collection[NodeDriver], built_in: Collection[NodeDriver], keeps: Callable[[str], bool]
    ) -> None:
        """These drivers are here, and of others those that `keeps` names. Raises StatusError (NotFound while there is
        no Node), Collision."""
        async with self._lock:
            node = await self._client.get(NODES, self._node)
            if patch := node_patch(node, third_parties):
                node = await self._client.patch(NODES, self._node, patch)
            for attempt in range(_TRIES):
                try:
                    await self._write(node, (*built_in, *third_parties), keeps)
                    break
                except (Conflict, AlreadyExists):
                    if attempt == _TRIES - 1:
                        raise

    async def _write(self, node: Obj, drivers: Collection[NodeDriver], keeps: Callable[[str], bool]) -> None:
        try:
            before = await self._client.get(CSI_NODES, self._node)
        except NotFound:
            await self._client.create(CSI_NODES, csi_node(node, None, drivers, keeps))
            return
        wanted = csi_node(node, before, drivers, keeps)
        if not says_the_same(wanted, before):
            await self._client.update(CSI_NODES, wanted)
