"""A third party's driver as a `contract.Driver`: each call is one (or, for lists, some) of CSI's.

The node side is always the engine's to call. The controller side is only if its CSIDriver object says so
(`driver_objects`), because the sidecars of a chart do the same. Invariant: a call that the driver did not announce is
refused here, by name, without asking it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from google.protobuf.message import Message

from skerry.engine.grpc_client import Reply
from skerry.engine.storage.contract import (
    Ability,
    Driver,
    Expansion,
    Publishing,
    Snapshot,
    Staging,
    StorageError,
    Usage,
    Use,
    Volume,
    VolumeRequest,
)
from skerry.engine.storage.csi import csi_pb2 as pb
from skerry.engine.storage.csi import messages
from skerry.engine.storage.csi.client import LONG, CsiClient
from skerry.engine.storage.csi.facts import DriverFacts
from skerry.engine.storage.csi.paths import PathsInDrivers

_Rpc = pb.ControllerServiceCapability.RPC
_NodeRpc = pb.NodeServiceCapability.RPC
_PAGE = 500


class RemoteDriver(Driver):
    """`client`: its socket, closed by whoever made it. `can`: `facts.abilities`; they change with its CSIDriver object,
    and then another RemoteDriver takes its place."""

    def __init__(
        self, client: CsiClient, facts: DriverFacts, can: frozenset[Ability], paths: PathsInDrivers | None = None
    ) -> None:
        self.facts = facts
        self.name = facts.name
        self.abilities = can
        self._client = client
        self._paths = paths or PathsInDrivers()

    # ---- controller side

    async def create(self, request: VolumeRequest) -> Volume:
        """`CreateVolume`."""
        self._demand(Ability.PROVISION, "volumes are not made by the engine")
        if request.source.snapshot:
            self._demand(Ability.SNAPSHOT, "volumes cannot be made from snapshots")
        if request.source.volume:
            self._demand(Ability.CLONE, "volumes cannot be cloned")
        segments = self.facts.segments if self.facts.has_topology else {}
        message = messages.creation(request, self._apart, segments)
        answer = await self._control("CreateVolume", message, pb.CreateVolumeResponse)
        if not answer.volume.volume_id:
            raise StorageError("INTERNAL", f"{self.name}: the driver made a volume without an id")
        return messages.volume(answer.volume, request.size)

    async def delete(self, handle: str, secrets: Mapping[str, str]) -> None:
        """`DeleteVolume`."""
        self._demand(Ability.PROVISION, "volumes are not deleted by the engine")
        message = pb.DeleteVolumeRequest(volume_id=handle, secrets=secrets)
        await self._control("DeleteVolume", message, pb.DeleteVolumeResponse)

    async def expand(self, handle: str, size: int, secrets: Mapping[str, str]) -> Expansion:
        """`ControllerExpandVolume`; a driver that does all of it on the node is only asked there."""
        self._demand(Ability.EXPAND, "volumes cannot be expanded")
        if not self.facts.can(_Rpc.EXPAND_VOLUME):
            return Expansion(size, on_node=True)
        message = pb.ControllerExpandVolumeRequest(
            volume_id=handle, capacity_range=pb.CapacityRange(required_bytes=size), secrets=secrets
        )
        answer = await self._control("ControllerExpandVolume", message, pb.ControllerExpandVolumeResponse)
        return Expansion(answer.capacity_bytes or size, answer.node_expansion_required)

    async def snapshot(
        self, name: str, volume: str, parameters: Mapping[str, str], secrets: Mapping[str, str]
    ) -> Snapshot:
        """`CreateSnapshot`."""
        self._demand(Ability.SNAPSHOT, "snapshots cannot be taken")
        message = pb.CreateSnapshotRequest(source_volume_id=volume, name=name, parameters=parameters, secrets=secrets)
        answer = await self._control("CreateSnapshot", message, pb.CreateSnapshotResponse)
        return messages.snapshot(answer.snapshot)

    async def delete_snapshot(self, handle: str, secrets: Mapping[str, str]) -> None:
        """`DeleteSnapshot`."""
        self._demand(Ability.SNAPSHOT, "snapshots cannot be deleted")
        message = pb.DeleteSnapshotRequest(snapshot_id=handle, secrets=secrets)
        await self._control("DeleteSnapshot", message, pb.DeleteSnapshotResponse)

    async def snapshot_of(self, handle: str, secrets: Mapping[str, str]) -> Snapshot | None:
        """`ListSnapshots` of one."""
        if Ability.SNAPSHOT not in self.abilities or not self.facts.can(_Rpc.LIST_SNAPSHOTS):
            raise self.lacks("snapshots cannot be looked up")
        message = pb.ListSnapshotsRequest(snapshot_id=handle, secrets=secrets)
        answer = await self._control("ListSnapshots", message, pb.ListSnapshotsResponse)
        return messages.snapshot(answer.entries[0].snapshot) if answer.entries else None

    async def volumes(self) -> Sequence[Volume]:
        """`ListVolumes`, page by page."""
        self._demand(Ability.LIST, "volumes cannot be listed")
        found: list[Volume] = []
        token = ""
        while True:
            message = pb.ListVolumesRequest(max_entries=_PAGE, starting_token=token)
            answer = await self._control("ListVolumes", message, pb.ListVolumesResponse)
            found += [messages.volume(entry.volume) for entry in answer.entries]
            if not answer.next_token or answer.next_token == token:
                return found
            token = answer.next_token

    async def capacity(self, parameters: Mapping[str, str]) -> int | None:
        """`GetCapacity` where this node is; None from a driver that does not tell."""
        if Ability.PROVISION not in self.abilities or not self.facts.can(_Rpc.GET_CAPACITY):
            return None
        place = pb.Topology(segments=self.facts.segments) if self.facts.has_topology else None
        message = pb.GetCapacityRequest(parameters=parameters, accessible_topology=place)
        return (await self._control("GetCapacity", message, pb.GetCapacityResponse)).available_capacity

    # ---- attaching, which only drivers of third parties know

    async def attach(
        self, handle: str, use: Use, context: Mapping[str, str], secrets: Mapping[str, str], *, read_only: bool = False
    ) -> Mapping[str, str]:
        """`ControllerPublishVolume` for this node; what `stage` and `publish` are to be told (`attachment`). {} from a
        driver that needs no such call. Raises StorageError."""
        if not self.facts.can(_Rpc.PUBLISH_UNPUBLISH_VOLUME):
            return {}
        message = pb.ControllerPublishVolumeRequest(
            volume_id=handle,
            node_id=self.facts.node_id,
            volume_capability=messages.capability(use, self._apart),
            readonly=read_only and self.facts.can(_Rpc.PUBLISH_READONLY),
            secrets=secrets,
            volume_context=context,
        )
        answer = await self._control("ControllerPublishVolume", message, pb.ControllerPublishVolumeResponse)
        return dict(answer.publish_context)

    async def detach(self, handle: str, secrets: Mapping[str, str]) -> None:
        """`ControllerUnpublishVolume` for this node; harmless when it is not attached or gone. Raises StorageError."""
        if not self.facts.can(_Rpc.PUBLISH_UNPUBLISH_VOLUME):
            return
        message = pb.ControllerUnpublishVolumeRequest(volume_id=handle, node_id=self.facts.node_id, secrets=secrets)
        try:
            await self._control("ControllerUnpublishVolume", message, pb.ControllerUnpublishVolumeResponse)
        except StorageError as error:
            if error.code != "NOT_FOUND":
                raise

    # ---- node side

    async def stage(self, staging: Staging) -> None:
        """`NodeStageVolume`."""
        self._demand(Ability.STAGE, "volumes are not staged")
        message = pb.NodeStageVolumeRequest(
            volume_id=staging.handle,
            publish_context=staging.attachment,
            staging_target_path=self._paths.of(staging.path),
            volume_capability=messages.capability(staging.use, self._apart),
            secrets=staging.secrets,
            volume_context=staging.context,
        )
        await self._client.node("NodeStageVolume", message, pb.NodeStageVolumeResponse, LONG)

    async def unstage(self, handle: str, path: Path) -> None:
        """`NodeUnstageVolume`."""
        self._demand(Ability.STAGE, "volumes are not staged")
        message = pb.NodeUnstageVolumeRequest(volume_id=handle, staging_target_path=self._paths.of(path))
        await self._client.node("NodeUnstageVolume", message, pb.NodeUnstageVolumeResponse, LONG)

    async def publish(self, publishing: Publishing) -> None:
        """`NodePublishVolume`; the directory above the target is there, the target is the driver's to make."""
        await asyncio.to_thread(publishing.target.parent.mkdir, 0o750, True, True)
        staged = self._paths.of(publishing.staged) if Ability.STAGE in self.abilities else ""
        message = pb.NodePublishVolumeRequest(
            volume_id=publishing.handle,
            publish_context=publishing.attachment,
            staging_target_path=staged,
            target_path=self._paths.of(publishing.target),
            volume_capability=messages.capability(publishing.use, self._apart),
            readonly=publishing.read_only,
            secrets=publishing.secrets,
            volume_context={**publishing.context, **publishing.pod},
        )
        await self._client.node("NodePublishVolume", message, pb.NodePublishVolumeResponse, LONG)

    async def unpublish(self, handle: str, target: Path) -> None:
        """`NodeUnpublishVolume`; a target that the driver left behind, empty, is removed."""
        message = pb.NodeUnpublishVolumeRequest(volume_id=handle, target_path=self._paths.of(target))
        await self._client.node("NodeUnpublishVolume", message, pb.NodeUnpublishVolumeResponse, LONG)
        await asyncio.to_thread(_remove_empty, target)

    async def expand_on_node(self, handle: str, path: Path, size: int) -> int:
        """`NodeExpandVolume`; a driver without it has nothing to do there."""
        if _NodeRpc.EXPAND_VOLUME not in self.facts.node:
            return size
        message = pb.NodeExpandVolumeRequest(
            volume_id=handle,
            volume_path=self._paths.of(path),
            capacity_range=pb.CapacityRange(required_bytes=size),
        )
        answer = await self._client.node("NodeExpandVolume", message, pb.NodeExpandVolumeResponse, LONG)
        return answer.capacity_bytes or size

    async def stats(self, handle: str, path: Path) -> Usage:
        """`NodeGetVolumeStats`."""
        self._demand(Ability.STATS, "usage cannot be told")
        message = pb.NodeGetVolumeStatsRequest(volume_id=handle, volume_path=self._paths.of(path))
        answer = await self._client.node("NodeGetVolumeStats", message, pb.NodeGetVolumeStatsResponse)
        return messages.usage(answer.usage)

    # ---- helpers

    @property
    def _apart(self) -> bool:
        return self.facts.tells_writers_apart

    def _demand(self, ability: Ability, otherwise: str) -> None:
        if ability not in self.abilities:
            raise self.lacks(otherwise)

    async def _control(self, method: str, request: Message, reply: type[Reply]) -> Reply:
        return await self._client.controller(method, request, reply, LONG)


def _remove_empty(target: Path) -> None:
    with contextlib.suppress(OSError):  # it is gone, as it should be; or it is not empty, and then not ours to remove
        target.rmdir() if target.is_dir() else target.unlink()
