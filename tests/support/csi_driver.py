"""A storage driver of a third party, written to the CSI specification 1.11, for tests: directories as volumes.

Run it as a process or in a pod: `python -m tests.support.csi_driver --state DIR --socket S [--register R] [--mount]`.
Everything it keeps is on disk, so that it can be killed at any moment. It answers as `csi-sanity` wants drivers to, and
refuses calls in a wrong order (publish before stage, unstage while published). With `--mount` volumes are bind mounts;
without, directories with a link, which need no rights. `--register` serves node-driver-registrar's part.

In its state directory: `calls.jsonl`, what it was asked, without secrets; `misbehave.json`, from method to "hang",
"die" or the name of a gRPC status.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream

from skerry.engine.storage.csi import csi_pb2 as pb
from skerry.engine.storage.csi.registration import registration_pb2 as registration

NAME = "directories.csi.test"
TOPOLOGY = "topology.csi.test/machine"
_PAGE = 2
_Method = Callable[[Any], Awaitable[Message]]


def refuse(status: Status, message: str) -> GRPCError:
    """A failed call."""
    return GRPCError(status, message)


class State:
    """What survives a kill: volumes, snapshots, and where volumes are attached, staged and published."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = directory / "state.json"
        directory.mkdir(parents=True, exist_ok=True)

    def read(self) -> dict[str, Any]:
        """All of it."""
        if not self._file.exists():
            return {"volumes": {}, "snapshots": {}, "attached": {}, "staged": {}, "published": {}}
        kept: dict[str, Any] = json.loads(self._file.read_text())
        return kept

    def write(self, state: dict[str, Any]) -> None:
        """At once or not at all."""
        write(self._file, state)

    def data(self, volume: str) -> Path:
        """Where a volume's files are."""
        return self.directory / "data" / volume

    def kept(self, snapshot: str) -> Path:
        """Where a snapshot's files are."""
        return self.directory / "snapshots" / snapshot

    def note(self, method: str, request: Message) -> None:
        """Keep what was asked, but for secrets."""
        shown = {field.name: _plain(value) for field, value in request.ListFields() if field.name != "secrets"}
        with (self.directory / "calls.jsonl").open("a") as file:
            file.write(json.dumps({"method": method, **shown}) + "\n")

    def misbehaviour(self, method: str) -> str:
        """What the test wants."""
        file = self.directory / "misbehave.json"
        return str(json.loads(file.read_text()).get(method, "")) if file.exists() else ""


def write(file: Path, content: Mapping[str, Any]) -> None:
    """As JSON, at once or not at all."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(content))
    fresh.replace(file)


def calls(state: Path, *methods: str) -> list[dict[str, Any]]:
    """What a driver was asked, in order; only these methods when some are given."""
    file = state / "calls.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    found = [json.loads(line) for line in lines]
    return [call for call in found if not methods or call["method"] in methods]


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return {field.name: _plain(inner) for field, inner in value.ListFields()}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str | int | bool):
        return value
    return [_plain(inner) for inner in value]


class Identity:
    """csi.v1.Identity."""

    service = "csi.v1.Identity"

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    async def GetPluginInfo(self, _: pb.GetPluginInfoRequest) -> pb.GetPluginInfoResponse:
        return pb.GetPluginInfoResponse(name=self._options.name)

    async def GetPluginCapabilities(self, _: pb.GetPluginCapabilitiesRequest) -> pb.GetPluginCapabilitiesResponse:
        kinds = pb.PluginCapability.Service
        has = (kinds.CONTROLLER_SERVICE, kinds.VOLUME_ACCESSIBILITY_CONSTRAINTS)
        return pb.GetPluginCapabilitiesResponse(
            capabilities=[pb.PluginCapability(service=kinds(type=kind)) for kind in has]
        )


class Controller:
    """csi.v1.Controller."""

    service = "csi.v1.Controller"

    def __init__(self, options: argparse.Namespace, state: State) -> None:
        self._options = options
        self._state = state

    async def ControllerGetCapabilities(
        self, _: pb.ControllerGetCapabilitiesRequest
    ) -> pb.ControllerGetCapabilitiesResponse:
        rpc = pb.ControllerServiceCapability.RPC
        has = (
            rpc.CREATE_DELETE_VOLUME, rpc.PUBLISH_UNPUBLISH_VOLUME, rpc.LIST_VOLUMES, rpc.GET_CAPACITY,
            rpc.CREATE_DELETE_SNAPSHOT, rpc.LIST_SNAPSHOTS, rpc.CLONE_VOLUME, rpc.EXPAND_VOLUME,
        )  # fmt: skip
        return pb.ControllerGetCapabilitiesResponse(
            capabilities=[pb.ControllerServiceCapability(rpc=rpc(type=kind)) for kind in has]
        )

    async def CreateVolume(self, request: pb.CreateVolumeRequest) -> pb.CreateVolumeResponse:
        if not request.name or not request.volume_capabilities:
            raise refuse(Status.INVALID_ARGUMENT, "name and capabilities are needed")
        handle, size = f"vol-{request.name}", request.capacity_range.required_bytes
        state = self._state.read()
        known = state["volumes"].get(handle)
        if known is not None and known["size"] < size:
            raise refuse(Status.ALREADY_EXISTS, f"{request.name} has {known['size']} bytes")
        if known is None:
            self._fill(handle, request)
            state["volumes"][handle] = {"size": size, "color": request.parameters.get("color", "none")}
            self._state.write(state)
        return pb.CreateVolumeResponse(volume=self._shown(handle, state))

    def _fill(self, handle: str, request: pb.CreateVolumeRequest) -> None:
        source, target = request.volume_content_source, self._state.data(handle)
        shutil.rmtree(target, ignore_errors=True)
        if source.HasField("snapshot"):
            origin = self._state.kept(source.snapshot.snapshot_id)
        elif source.HasField("volume"):
            origin = self._state.data(source.volume.volume_id)
        else:
            target.mkdir(parents=True)
            return
        if not origin.is_dir():
            raise refuse(Status.NOT_FOUND, "the source is not there")
        shutil.copytree(origin, target)

    def _shown(self, handle: str, state: dict[str, Any]) -> pb.Volume:
        known = state["volumes"][handle]
        place = pb.Topology(segments={TOPOLOGY: self._options.node})
        context = {"color": known["color"]}
        return pb.Volume(
            capacity_bytes=known["size"], volume_id=handle, volume_context=context, accessible_topology=[place]
        )

    async def DeleteVolume(self, request: pb.DeleteVolumeRequest) -> pb.DeleteVolumeResponse:
        state = self._state.read()
        if any(each["volume"] == request.volume_id for each in state["staged"].values()):
            raise refuse(Status.FAILED_PRECONDITION, "the volume is staged")
        state["volumes"].pop(request.volume_id, None)
        shutil.rmtree(self._state.data(request.volume_id), ignore_errors=True)
        self._state.write(state)
        return pb.DeleteVolumeResponse()

    async def ControllerPublishVolume(
        self, request: pb.ControllerPublishVolumeRequest
    ) -> pb.ControllerPublishVolumeResponse:
        state = self._state.read()
        if request.volume_id not in state["volumes"] or request.node_id != self._options.node:
            raise refuse(Status.NOT_FOUND, "no such volume or node")
        state["attached"][request.volume_id] = request.node_id
        self._state.write(state)
        return pb.ControllerPublishVolumeResponse(publish_context={"device": f"/dev/{request.volume_id}"})

    async def ControllerUnpublishVolume(
        self, request: pb.ControllerUnpublishVolumeRequest
    ) -> pb.ControllerUnpublishVolumeResponse:
        state = self._state.read()
        if any(each["volume"] == request.volume_id for each in state["staged"].values()):
            raise refuse(Status.FAILED_PRECONDITION, "the volume is staged")
        state["attached"].pop(request.volume_id, None)
        self._state.write(state)
        return pb.ControllerUnpublishVolumeResponse()

    async def ListVolumes(self, request: pb.ListVolumesRequest) -> pb.ListVolumesResponse:
        state, first = self._state.read(), int(request.starting_token or 0)
        names = sorted(state["volumes"])
        entries = [pb.ListVolumesResponse.Entry(volume=self._shown(name, state)) for name in names[first:][:_PAGE]]
        more = str(first + _PAGE) if len(names) > first + _PAGE else ""
        return pb.ListVolumesResponse(entries=entries, next_token=more)

    async def GetCapacity(self, _: pb.GetCapacityRequest) -> pb.GetCapacityResponse:
        return pb.GetCapacityResponse(available_capacity=1 << 40)

    async def CreateSnapshot(self, request: pb.CreateSnapshotRequest) -> pb.CreateSnapshotResponse:
        handle, state = f"snap-{request.name}", self._state.read()
        if request.source_volume_id not in state["volumes"]:
            raise refuse(Status.NOT_FOUND, "no such volume")
        known = state["snapshots"].get(handle)
        if known is not None and known["volume"] != request.source_volume_id:
            raise refuse(Status.ALREADY_EXISTS, "of another volume")
        if known is None:
            shutil.copytree(self._state.data(request.source_volume_id), self._state.kept(handle), dirs_exist_ok=True)
            size = state["volumes"][request.source_volume_id]["size"]
            state["snapshots"][handle] = {"volume": request.source_volume_id, "size": size}
            self._state.write(state)
        return pb.CreateSnapshotResponse(snapshot=_snapshot(handle, state))

    async def DeleteSnapshot(self, request: pb.DeleteSnapshotRequest) -> pb.DeleteSnapshotResponse:
        state = self._state.read()
        state["snapshots"].pop(request.snapshot_id, None)
        shutil.rmtree(self._state.kept(request.snapshot_id), ignore_errors=True)
        self._state.write(state)
        return pb.DeleteSnapshotResponse()

    async def ListSnapshots(self, request: pb.ListSnapshotsRequest) -> pb.ListSnapshotsResponse:
        state = self._state.read()
        wanted = [name for name in sorted(state["snapshots"]) if request.snapshot_id in ("", name)]
        entries = [pb.ListSnapshotsResponse.Entry(snapshot=_snapshot(name, state)) for name in wanted]
        return pb.ListSnapshotsResponse(entries=entries)

    async def ControllerExpandVolume(
        self, request: pb.ControllerExpandVolumeRequest
    ) -> pb.ControllerExpandVolumeResponse:
        state = self._state.read()
        if request.volume_id not in state["volumes"]:
            raise refuse(Status.NOT_FOUND, "no such volume")
        known = state["volumes"][request.volume_id]
        known["size"] = max(known["size"], request.capacity_range.required_bytes)
        self._state.write(state)
        return pb.ControllerExpandVolumeResponse(capacity_bytes=known["size"], node_expansion_required=True)


def _snapshot(handle: str, state: dict[str, Any]) -> pb.Snapshot:
    known = state["snapshots"][handle]
    made = pb.Snapshot(
        size_bytes=known["size"], snapshot_id=handle, source_volume_id=known["volume"], ready_to_use=True
    )
    made.creation_time.seconds = 1_700_000_000
    return made


class Node:
    """csi.v1.Node."""

    service = "csi.v1.Node"

    def __init__(self, options: argparse.Namespace, state: State) -> None:
        self._options = options
        self._state = state

    async def NodeGetInfo(self, _: pb.NodeGetInfoRequest) -> pb.NodeGetInfoResponse:
        place = pb.Topology(segments={TOPOLOGY: self._options.node})
        return pb.NodeGetInfoResponse(node_id=self._options.node, max_volumes_per_node=7, accessible_topology=place)

    async def NodeGetCapabilities(self, _: pb.NodeGetCapabilitiesRequest) -> pb.NodeGetCapabilitiesResponse:
        rpc = pb.NodeServiceCapability.RPC
        has = (rpc.STAGE_UNSTAGE_VOLUME, rpc.GET_VOLUME_STATS, rpc.EXPAND_VOLUME, rpc.SINGLE_NODE_MULTI_WRITER)
        return pb.NodeGetCapabilitiesResponse(
            capabilities=[pb.NodeServiceCapability(rpc=rpc(type=kind)) for kind in has]
        )

    async def NodeStageVolume(self, request: pb.NodeStageVolumeRequest) -> pb.NodeStageVolumeResponse:
        state = self._state.read()
        if request.volume_id not in state["volumes"]:
            raise refuse(Status.NOT_FOUND, "no such volume")
        if self._options.attach and request.publish_context.get("device") != f"/dev/{request.volume_id}":
            raise refuse(Status.FAILED_PRECONDITION, "the volume is not attached")
        self._show(request.volume_id, request.staging_target_path)
        state["staged"][request.staging_target_path] = {"volume": request.volume_id}
        self._state.write(state)
        return pb.NodeStageVolumeResponse()

    async def NodeUnstageVolume(self, request: pb.NodeUnstageVolumeRequest) -> pb.NodeUnstageVolumeResponse:
        state = self._state.read()
        if any(each["staged"] == request.staging_target_path for each in state["published"].values()):
            raise refuse(Status.FAILED_PRECONDITION, "the volume is published")
        self._hide(request.staging_target_path, keep=True)
        state["staged"].pop(request.staging_target_path, None)
        self._state.write(state)
        return pb.NodeUnstageVolumeResponse()

    async def NodePublishVolume(self, request: pb.NodePublishVolumeRequest) -> pb.NodePublishVolumeResponse:
        state, staged = self._state.read(), request.staging_target_path
        if request.volume_context.get("csi.storage.k8s.io/ephemeral") == "true":
            self._inline(request, state)
        elif state["staged"].get(staged, {}).get("volume") != request.volume_id:
            raise refuse(Status.FAILED_PRECONDITION, f"the volume is not staged at {staged}")
        self._show(request.volume_id, request.target_path, request.readonly)
        state["published"][request.target_path] = {"volume": request.volume_id, "staged": staged}
        self._state.write(state)
        return pb.NodePublishVolumeResponse()

    def _inline(self, request: pb.NodePublishVolumeRequest, state: dict[str, Any]) -> None:
        """A volume that lives as long as its pod, with what the pod is called in it."""
        data = self._state.data(request.volume_id)
        data.mkdir(parents=True, exist_ok=True)
        (data / "pod").write_text(request.volume_context["csi.storage.k8s.io/pod.name"])
        tokens = request.volume_context.get("csi.storage.k8s.io/serviceAccount.tokens", "")
        (data / "token").write_text(tokens)
        state["volumes"][request.volume_id] = {"size": 0, "color": "none", "inline": True}

    async def NodeUnpublishVolume(self, request: pb.NodeUnpublishVolumeRequest) -> pb.NodeUnpublishVolumeResponse:
        state = self._state.read()
        self._hide(request.target_path, keep=False)
        state["published"].pop(request.target_path, None)
        if state["volumes"].get(request.volume_id, {}).get("inline"):
            del state["volumes"][request.volume_id]
            shutil.rmtree(self._state.data(request.volume_id), ignore_errors=True)
        self._state.write(state)
        return pb.NodeUnpublishVolumeResponse()

    def _show(self, volume: str, path: str, read_only: bool = False) -> None:
        target = Path(path)
        target.mkdir(parents=True, exist_ok=True)
        link = target / "volume"
        if not self._options.mount:
            if not link.is_symlink():
                link.symlink_to(self._state.data(volume))
        elif not _is_mounted(target):
            subprocess.run(["mount", "--bind", str(self._state.data(volume)), path], check=True)
            if read_only:
                subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)

    def _hide(self, path: str, *, keep: bool) -> None:
        target = Path(path)
        if not target.exists():
            return
        if self._options.mount:
            while _is_mounted(target):
                subprocess.run(["umount", path], check=True)
        else:
            (target / "volume").unlink(missing_ok=True)
        if not keep:
            target.rmdir()

    async def NodeGetVolumeStats(self, request: pb.NodeGetVolumeStatsRequest) -> pb.NodeGetVolumeStatsResponse:
        if not Path(request.volume_path).exists():
            raise refuse(Status.NOT_FOUND, "nothing is there")
        size = self._state.read()["volumes"][request.volume_id]["size"]
        used = sum(each.stat().st_size for each in self._state.data(request.volume_id).rglob("*") if each.is_file())
        entry = pb.VolumeUsage(available=size - used, total=size, used=used, unit=pb.VolumeUsage.BYTES)
        return pb.NodeGetVolumeStatsResponse(usage=[entry])

    async def NodeExpandVolume(self, request: pb.NodeExpandVolumeRequest) -> pb.NodeExpandVolumeResponse:
        return pb.NodeExpandVolumeResponse(capacity_bytes=request.capacity_range.required_bytes)


class Registrar:
    """pluginregistration.Registration, as node-driver-registrar serves it."""

    service = "pluginregistration.Registration"

    def __init__(self, options: argparse.Namespace, state: State) -> None:
        self._options = options
        self._state = state

    async def GetInfo(self, _: registration.InfoRequest) -> registration.PluginInfo:
        return registration.PluginInfo(
            type="CSIPlugin",
            name=self._options.name,
            endpoint=self._options.endpoint or str(self._options.socket),
            supported_versions=["1.0.0"],
        )

    async def NotifyRegistrationStatus(
        self, request: registration.RegistrationStatus
    ) -> registration.RegistrationStatusResponse:
        status = {"registered": request.plugin_registered, "error": request.error}
        write(self._state.directory / "registration.json", status)
        return registration.RegistrationStatusResponse()


def _is_mounted(target: Path) -> bool:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return any(line.split()[4] == str(target) for line in lines)


class _Service:
    """All methods of a service object that are named like those of its descriptor, as grpclib wants them."""

    def __init__(self, served: Any, state: State) -> None:
        self._served = served
        self._state = state
        module = registration if served.service.startswith("pluginregistration") else pb
        self._methods = module.DESCRIPTOR.services_by_name[served.service.rpartition(".")[2]].methods
        self._module = module

    def __mapping__(self) -> Mapping[str, Handler]:
        found = {}
        for method in self._methods:
            request = getattr(self._module, method.input_type.name)
            reply = getattr(self._module, method.output_type.name)
            handler = self._handler(method.name, getattr(self._served, method.name))
            found[f"/{self._served.service}/{method.name}"] = Handler(handler, Cardinality.UNARY_UNARY, request, reply)
        return found

    def _handler(self, name: str, method: _Method) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def handle(stream: Stream[Any, Any]) -> None:
            request = await stream.recv_message()
            self._state.note(name, request)
            await _misbehave(self._state.misbehaviour(name))
            await stream.send_message(await method(request))

        return handle


async def _misbehave(how: str) -> None:
    if how == "hang":
        await asyncio.Event().wait()
    elif how == "die":
        os._exit(1)
    elif how:
        raise refuse(Status[how], "as the test wants it")


async def serve(options: argparse.Namespace) -> None:
    """Until killed. Sockets left by an earlier one are taken over, as drivers and registrars do it."""
    state = State(options.state)
    driver = [Identity(options), Controller(options, state), Node(options, state)]
    servers = [(options.socket, Server([_Service(each, state) for each in driver]))]
    if options.register:
        servers.append((options.register, Server([_Service(Registrar(options, state), state)])))
    for socket, server in servers:
        socket.parent.mkdir(parents=True, exist_ok=True)
        socket.unlink(missing_ok=True)
        await server.start(path=str(socket))
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True, help="what it keeps")
    parser.add_argument("--socket", type=Path, required=True, help="where it is called")
    parser.add_argument("--register", type=Path, help="where it makes itself known to the kubelet")
    parser.add_argument("--endpoint", default="", help="its socket as the kubelet is told of it")
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--node", default="machine-1", help="what it calls its node")
    parser.add_argument("--mount", action="store_true", help="show volumes by bind mounts")
    parser.add_argument("--attach", action="store_true", help="stage nothing that is not attached")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
