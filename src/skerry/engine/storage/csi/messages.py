"""Between the contract's words and CSI's messages. Pure.

Access modes as the kubelet and external-provisioner translate them: drivers that tell several writers on one node from
one (SINGLE_NODE_MULTI_WRITER) are told which of the two is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skerry.engine.storage.contract import Snapshot, Usage, Use, Volume, VolumeRequest
from skerry.engine.storage.csi import csi_pb2 as pb

_Mode = pb.VolumeCapability.AccessMode
_MODES: Mapping[str, pb.VolumeCapability.AccessMode.Mode.ValueType] = {
    "ReadWriteOnce": _Mode.SINGLE_NODE_WRITER,
    "ReadWriteOncePod": _Mode.SINGLE_NODE_WRITER,
    "ReadOnlyMany": _Mode.MULTI_NODE_READER_ONLY,
    "ReadWriteMany": _Mode.MULTI_NODE_MULTI_WRITER,
}
_FINER: Mapping[str, pb.VolumeCapability.AccessMode.Mode.ValueType] = {
    **_MODES,
    "ReadWriteOnce": _Mode.SINGLE_NODE_MULTI_WRITER,
    "ReadWriteOncePod": _Mode.SINGLE_NODE_SINGLE_WRITER,
}


def capabilities(use: Use, finer: bool) -> list[pb.VolumeCapability]:
    """One per access mode. `finer`: the driver tells writers on one node apart."""
    modes = _FINER if finer else _MODES
    return [_capability(use, modes.get(mode, _Mode.UNKNOWN)) for mode in use.access_modes or ("ReadWriteOnce",)]


def capability(use: Use, finer: bool) -> pb.VolumeCapability:
    """How it is mounted: by its first access mode, as the kubelet does it."""
    return capabilities(use, finer)[0]


def _capability(use: Use, mode: pb.VolumeCapability.AccessMode.Mode.ValueType) -> pb.VolumeCapability:
    access = pb.VolumeCapability.AccessMode(mode=mode)
    if use.block:
        return pb.VolumeCapability(block=pb.VolumeCapability.BlockVolume(), access_mode=access)
    mount = pb.VolumeCapability.MountVolume(fs_type=use.fs_type, mount_flags=use.mount_options)
    return pb.VolumeCapability(mount=mount, access_mode=access)


def creation(request: VolumeRequest, finer: bool, segments: Mapping[str, str]) -> pb.CreateVolumeRequest:
    """`segments`: where the volume must be reached, {} for a driver without topology."""
    message = pb.CreateVolumeRequest(
        name=request.name,
        capacity_range=pb.CapacityRange(required_bytes=request.size),
        volume_capabilities=capabilities(request.use, finer),
        parameters=request.parameters,
        secrets=request.secrets,
    )
    if request.source.snapshot:
        message.volume_content_source.snapshot.snapshot_id = request.source.snapshot
    elif request.source.volume:
        message.volume_content_source.volume.volume_id = request.source.volume
    if segments:
        place = pb.Topology(segments=segments)
        message.accessibility_requirements.requisite.append(place)
        message.accessibility_requirements.preferred.append(place)
    return message


def volume(message: pb.Volume, size: int = 0) -> Volume:
    """`size`: bytes that were asked for, for drivers that do not tell."""
    places = tuple(dict(place.segments) for place in message.accessible_topology)
    return Volume(message.volume_id, message.capacity_bytes or size, dict(message.volume_context), places)


def snapshot(message: pb.Snapshot) -> Snapshot:
    """As the contract has it."""
    taken = message.creation_time.seconds + message.creation_time.nanos / 1e9
    return Snapshot(message.snapshot_id, message.source_volume_id, taken, message.size_bytes, message.ready_to_use)


def usage(entries: Iterable[pb.VolumeUsage]) -> Usage:
    """Bytes and inodes, of the entries that a driver gives."""
    by_unit = {entry.unit: entry for entry in entries}
    size, inodes = by_unit.get(pb.VolumeUsage.BYTES), by_unit.get(pb.VolumeUsage.INODES)
    return Usage(
        capacity=size.total if size else None,
        used=size.used if size else None,
        available=size.available if size else None,
        inodes=inodes.total if inodes else None,
        inodes_used=inodes.used if inodes else None,
        inodes_free=inodes.available if inodes else None,
    )
