"""What a driver says of itself when it is registered: its services, what they can do, what it calls this node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from skerry.engine.storage.contract import PATIENCE, Ability, StorageError
from skerry.engine.storage.csi import csi_pb2 as pb
from skerry.engine.storage.csi.client import CsiClient
from skerry.kube.records import record

_Service = pb.PluginCapability.Service
_Rpc = pb.ControllerServiceCapability.RPC
_NodeRpc = pb.NodeServiceCapability.RPC
_INFO_PATIENCE = PATIENCE
"""Seconds a driver may ask its cloud what this node is called."""


@record
class DriverFacts:
    """`node_id`: the driver's name for this node; `most_volumes`: how many it can have, 0 for no limit; `segments`:
    where the node is, by topology key."""

    name: str
    node_id: str
    most_volumes: int = 0
    segments: Mapping[str, str] = field(default_factory=dict)
    services: frozenset[int] = frozenset()
    controller: frozenset[int] = frozenset()
    node: frozenset[int] = frozenset()

    @property
    def has_topology(self) -> bool:
        """Whether it matters where its volumes are."""
        return _Service.VOLUME_ACCESSIBILITY_CONSTRAINTS in self.services

    @property
    def tells_writers_apart(self) -> bool:
        """Whether "one writer" and "writers on one node" are different things to it."""
        return _NodeRpc.SINGLE_NODE_MULTI_WRITER in self.node

    def can(self, rpc: int) -> bool:
        """Whether the controller side has a call, by its ControllerServiceCapability."""
        return rpc in self.controller


async def ask(client: CsiClient, name: str = "") -> DriverFacts:
    """Ask a driver everything; `name`: as it was registered, "" for its own. Raises StorageError."""
    info = await client.identity("GetPluginInfo", pb.GetPluginInfoRequest(), pb.GetPluginInfoResponse)
    if not info.name:
        raise StorageError("INTERNAL", "the driver has no name")
    has = await client.identity(
        "GetPluginCapabilities", pb.GetPluginCapabilitiesRequest(), pb.GetPluginCapabilitiesResponse
    )
    services = frozenset(int(each.service.type) for each in has.capabilities if each.HasField("service"))
    node = await client.node("NodeGetInfo", pb.NodeGetInfoRequest(), pb.NodeGetInfoResponse, _INFO_PATIENCE)
    if not node.node_id:
        raise StorageError("INTERNAL", f"{info.name}: the driver gives this node no id")
    return DriverFacts(
        name=name or info.name,
        node_id=node.node_id,
        most_volumes=max(0, node.max_volumes_per_node),
        segments=dict(node.accessible_topology.segments),
        services=services,
        controller=await _controller(client) if _Service.CONTROLLER_SERVICE in services else frozenset(),
        node=await _node(client),
    )


async def _controller(client: CsiClient) -> frozenset[int]:
    """A node plug-in often says that there is a controller but serves it elsewhere: then there is none here."""
    request, reply = pb.ControllerGetCapabilitiesRequest(), pb.ControllerGetCapabilitiesResponse
    try:
        answer = await client.controller("ControllerGetCapabilities", request, reply)
    except StorageError as error:
        if error.code == "UNIMPLEMENTED":
            return frozenset()
        raise
    return frozenset(int(each.rpc.type) for each in answer.capabilities)


async def _node(client: CsiClient) -> frozenset[int]:
    answer = await client.node("NodeGetCapabilities", pb.NodeGetCapabilitiesRequest(), pb.NodeGetCapabilitiesResponse)
    return frozenset(int(each.rpc.type) for each in answer.capabilities)


_NODE_ABILITIES = {_NodeRpc.STAGE_UNSTAGE_VOLUME: Ability.STAGE, _NodeRpc.GET_VOLUME_STATS: Ability.STATS}
_CONTROLLER_ABILITIES = {
    _Rpc.CREATE_DELETE_VOLUME: Ability.PROVISION,
    _Rpc.EXPAND_VOLUME: Ability.EXPAND,
    _Rpc.CREATE_DELETE_SNAPSHOT: Ability.SNAPSHOT,
    _Rpc.CLONE_VOLUME: Ability.CLONE,
    _Rpc.LIST_VOLUMES: Ability.LIST,
}


def abilities(facts: DriverFacts, *, engine_controls: bool, attach: bool) -> frozenset[Ability]:
    """What the engine does with a driver. `engine_controls`: its controller side is the engine's to drive, which else
    the sidecars of its chart do; `attach`: volumes wait for a VolumeAttachment. Pure."""
    found = {Ability.BLOCK, Ability.GROUP}
    found |= {ability for rpc, ability in _NODE_ABILITIES.items() if rpc in facts.node}
    if engine_controls:
        found |= {ability for rpc, ability in _CONTROLLER_ABILITIES.items() if facts.can(rpc)}
        if _NodeRpc.EXPAND_VOLUME in facts.node and facts.can(_Rpc.CREATE_DELETE_VOLUME):
            found.add(Ability.EXPAND)
    if attach:
        found.add(Ability.ATTACH)
    return frozenset(found)
