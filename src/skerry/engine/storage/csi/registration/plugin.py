"""One socket below `plugins_registry`: who is behind it, and telling it whether it was registered.

Usually node-driver-registrar, which names the driver's own socket; one that serves no registration but CSI itself is
the driver. Source of the behaviour: Kubernetes' `pkg/kubelet/pluginmanager` and `pkg/volume/csi/csi_plugin.go`.
"""

from __future__ import annotations

from pathlib import Path

from skerry.engine.grpc_client import GrpcClient
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.csi import csi_pb2 as csi
from skerry.engine.storage.csi.client import CsiClient
from skerry.engine.storage.csi.registration import registration_pb2 as pb
from skerry.kube.records import record

_TYPE = "CSIPlugin"
_SERVICE = "/pluginregistration.Registration/"
_PATIENCE = 10.0
_NO_REGISTRATION = ("UNIMPLEMENTED", "UNKNOWN")
"""How servers answer that do not know the service; grpclib's leave a header out, which its client calls unknown."""


@record
class Plugin:
    """`endpoint`: the driver's socket."""

    name: str
    endpoint: Path


class RegistrationClient(GrpcClient):
    """Use it from one event loop; `close` when done."""

    def failure(self, code: str, message: str) -> StorageError:
        """As `StorageError`."""
        return StorageError(code, message)

    async def info(self) -> pb.PluginInfo:
        """Who is there. Raises StorageError."""
        return await self.call(_SERVICE + "GetInfo", pb.InfoRequest(), pb.PluginInfo, _PATIENCE)

    async def notify(self, error: str) -> None:
        """How it went; `error` "": it is registered. Raises StorageError."""
        request = pb.RegistrationStatus(plugin_registered=not error, error=error)
        method = _SERVICE + "NotifyRegistrationStatus"
        await self.call(method, request, pb.RegistrationStatusResponse, _PATIENCE)


async def ask(socket: Path) -> Plugin:
    """Who is behind a socket. Raises StorageError."""
    client = RegistrationClient(socket)
    try:
        return checked(await client.info(), socket)
    except StorageError as error:
        if error.code not in _NO_REGISTRATION:
            raise
    finally:
        await client.close()
    return await _bare(socket)


async def notify(socket: Path, error: str) -> None:
    """Tell it. A bare driver does not want to know. Raises StorageError."""
    client = RegistrationClient(socket)
    try:
        await client.notify(error)
    except StorageError as failure:
        if failure.code not in _NO_REGISTRATION:
            raise
    finally:
        await client.close()


async def _bare(socket: Path) -> Plugin:
    client = CsiClient(socket)
    try:
        info = await client.identity("GetPluginInfo", csi.GetPluginInfoRequest(), csi.GetPluginInfoResponse)
        return Plugin(info.name, socket)
    finally:
        await client.close()


def checked(info: pb.PluginInfo, socket: Path) -> Plugin:
    """What a plug-in says, if it is one for us. Raises StorageError. Pure."""
    if info.type != _TYPE:
        raise StorageError("INVALID_ARGUMENT", f'no handler registered for plugin type: "{info.type}"')
    if not any(version.lstrip("v").split(".")[0] == "1" for version in info.supported_versions):
        versions = ", ".join(info.supported_versions) or "none"
        raise StorageError("FAILED_PRECONDITION", f"no supported version of CSI: it has {versions}, 1.x is needed")
    if not info.name:
        raise StorageError("INVALID_ARGUMENT", "the plugin has no name")
    return Plugin(info.name, Path(info.endpoint) if info.endpoint else socket)
