"""A typed client of the Container Runtime Interface (CRI v1) on a unix socket.

Messages are those of `cri_pb2`, the transport is `engine.grpc_client`. Every failure is a `CriError`, also a
runtime that is not there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from google.protobuf.message import Message

from skerry.engine.grpc_client import GrpcClient, Reply
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.kube.records import record

_DEADLINE = 120.0  # seconds; what the kubelet allows a runtime request
_RUNTIME, _IMAGES = "/runtime.v1.RuntimeService/", "/runtime.v1.ImageService/"


class CriError(RuntimeError):
    """The runtime refused or could not be asked. `code`: the gRPC status by name, as "NOT_FOUND" or "UNAVAILABLE"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def not_found(self) -> bool:
        """Whether the sandbox, container or image does not exist (any more)."""
        return self.code == "NOT_FOUND"

    @property
    def unavailable(self) -> bool:
        """Whether the runtime itself could not be reached; the call may or may not have had an effect."""
        return self.code == "UNAVAILABLE"

    @property
    def timed_out(self) -> bool:
        """Whether the call's deadline passed."""
        return self.code == "DEADLINE_EXCEEDED"


@record
class ExecResult:
    """What a command run in a container gave: its whole output and its exit code."""

    stdout: bytes
    stderr: bytes
    exit_code: int


class CriClient(GrpcClient):
    """One runtime. Use it from one event loop; `close` when done."""

    def failure(self, code: str, message: str) -> CriError:
        """As `CriError`."""
        return CriError(code, message)

    async def _call(
        self, method: str, request: Message, reply: type[Reply], timeout: float | None = _DEADLINE
    ) -> Reply:
        return await self.call(method, request, reply, timeout)

    # ---- the runtime itself

    async def version(self) -> pb.VersionResponse:
        """Name and version of the runtime."""
        return await self._call(_RUNTIME + "Version", pb.VersionRequest(version="v1"), pb.VersionResponse, 5.0)

    async def status(self) -> pb.RuntimeStatus:
        """The runtime's conditions: RuntimeReady, NetworkReady."""
        return (await self._call(_RUNTIME + "Status", pb.StatusRequest(), pb.StatusResponse, 10.0)).status

    # ---- sandboxes

    async def run_pod_sandbox(self, config: pb.PodSandboxConfig, runtime_handler: str = "") -> str:
        """Make and start a sandbox with its network; returns its id."""
        request = pb.RunPodSandboxRequest(config=config, runtime_handler=runtime_handler)
        answer = await self._call(_RUNTIME + "RunPodSandbox", request, pb.RunPodSandboxResponse, 2 * _DEADLINE)
        return answer.pod_sandbox_id

    async def stop_pod_sandbox(self, sandbox_id: str) -> None:
        """Kill what runs in a sandbox and take its network down. Harmless twice."""
        request = pb.StopPodSandboxRequest(pod_sandbox_id=sandbox_id)
        await self._call(_RUNTIME + "StopPodSandbox", request, pb.StopPodSandboxResponse)

    async def remove_pod_sandbox(self, sandbox_id: str) -> None:
        """Remove a sandbox and all its containers. Harmless twice."""
        request = pb.RemovePodSandboxRequest(pod_sandbox_id=sandbox_id)
        await self._call(_RUNTIME + "RemovePodSandbox", request, pb.RemovePodSandboxResponse)

    async def pod_sandbox_status(self, sandbox_id: str, verbose: bool = False) -> pb.PodSandboxStatusResponse:
        """State and addresses; `verbose` adds runtime details as JSON in `info`. Raises CriError (NOT_FOUND)."""
        request = pb.PodSandboxStatusRequest(pod_sandbox_id=sandbox_id, verbose=verbose)
        return await self._call(_RUNTIME + "PodSandboxStatus", request, pb.PodSandboxStatusResponse)

    async def list_pod_sandboxes(self, labels: Mapping[str, str] | None = None) -> Sequence[pb.PodSandbox]:
        """All sandboxes, or those with these labels."""
        request = pb.ListPodSandboxRequest(filter=pb.PodSandboxFilter(label_selector=labels or {}))
        return (await self._call(_RUNTIME + "ListPodSandbox", request, pb.ListPodSandboxResponse)).items

    # ---- containers

    async def create_container(
        self, sandbox_id: str, config: pb.ContainerConfig, sandbox_config: pb.PodSandboxConfig
    ) -> str:
        """Make a container in a sandbox, not started; returns its id."""
        request = pb.CreateContainerRequest(pod_sandbox_id=sandbox_id, config=config, sandbox_config=sandbox_config)
        answer = await self._call(_RUNTIME + "CreateContainer", request, pb.CreateContainerResponse)
        return answer.container_id

    async def start_container(self, container_id: str) -> None:
        """Start a created container."""
        request = pb.StartContainerRequest(container_id=container_id)
        await self._call(_RUNTIME + "StartContainer", request, pb.StartContainerResponse)

    async def stop_container(self, container_id: str, grace: int) -> None:
        """Send the stop signal, after `grace` seconds SIGKILL; returns when it has stopped. Harmless twice."""
        request = pb.StopContainerRequest(container_id=container_id, timeout=grace)
        await self._call(_RUNTIME + "StopContainer", request, pb.StopContainerResponse, _DEADLINE + grace)

    async def remove_container(self, container_id: str) -> None:
        """Remove a container, killing it if it runs. Harmless twice."""
        request = pb.RemoveContainerRequest(container_id=container_id)
        await self._call(_RUNTIME + "RemoveContainer", request, pb.RemoveContainerResponse)

    async def container_status(self, container_id: str, verbose: bool = False) -> pb.ContainerStatusResponse:
        """State, times, exit code; `verbose` adds `info` (JSON with the pid). Raises CriError (NOT_FOUND)."""
        request = pb.ContainerStatusRequest(container_id=container_id, verbose=verbose)
        return await self._call(_RUNTIME + "ContainerStatus", request, pb.ContainerStatusResponse)

    async def list_containers(
        self, sandbox_id: str = "", labels: Mapping[str, str] | None = None
    ) -> Sequence[pb.Container]:
        """All containers in any state, or those of a sandbox, or those with these labels."""
        selection = pb.ContainerFilter(pod_sandbox_id=sandbox_id, label_selector=labels or {})
        request = pb.ListContainersRequest(filter=selection)
        return (await self._call(_RUNTIME + "ListContainers", request, pb.ListContainersResponse)).containers

    async def update_container_resources(self, container_id: str, resources: pb.LinuxContainerResources) -> None:
        """Change limits of a container that exists."""
        request = pb.UpdateContainerResourcesRequest(container_id=container_id, linux=resources)
        await self._call(_RUNTIME + "UpdateContainerResources", request, pb.UpdateContainerResourcesResponse)

    async def reopen_container_log(self, container_id: str) -> None:
        """Have a running container's log file opened anew, after it was renamed."""
        request = pb.ReopenContainerLogRequest(container_id=container_id)
        await self._call(_RUNTIME + "ReopenContainerLog", request, pb.ReopenContainerLogResponse)

    # ---- into containers

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout: int) -> ExecResult:
        """Run a command and wait for it, `timeout` whole seconds at most, 0 for ever. Raises CriError
        (DEADLINE_EXCEEDED)."""
        request = pb.ExecSyncRequest(container_id=container_id, cmd=command, timeout=timeout)
        answer = await self._call(
            _RUNTIME + "ExecSync", request, pb.ExecSyncResponse, timeout + 10.0 if timeout else None
        )
        return ExecResult(answer.stdout, answer.stderr, answer.exit_code)

    async def attach(self, request: pb.AttachRequest) -> str:
        """The URL of a streaming endpoint joined to the container's streams."""
        return (await self._call(_RUNTIME + "Attach", request, pb.AttachResponse)).url

    # ---- usage

    async def list_container_stats(self, labels: Mapping[str, str] | None = None) -> Sequence[pb.ContainerStats]:
        """Usage of all running containers, or of those with these labels."""
        request = pb.ListContainerStatsRequest(filter=pb.ContainerStatsFilter(label_selector=labels or {}))
        return (await self._call(_RUNTIME + "ListContainerStats", request, pb.ListContainerStatsResponse)).stats

    async def list_pod_sandbox_stats(self) -> Sequence[pb.PodSandboxStats]:
        """Usage of all pods, their networks among it."""
        request = pb.ListPodSandboxStatsRequest()
        return (await self._call(_RUNTIME + "ListPodSandboxStats", request, pb.ListPodSandboxStatsResponse)).stats

    # ---- images

    async def pull_image(self, image: str, auth: pb.AuthConfig | None, sandbox: pb.PodSandboxConfig) -> str:
        """Fetch an image; returns its reference (id). No deadline: cancel the call to give up."""
        request = pb.PullImageRequest(image=pb.ImageSpec(image=image), auth=auth, sandbox_config=sandbox)
        return (await self._call(_IMAGES + "PullImage", request, pb.PullImageResponse, None)).image_ref

    async def list_images(self) -> Sequence[pb.Image]:
        """All images here."""
        return (await self._call(_IMAGES + "ListImages", pb.ListImagesRequest(), pb.ListImagesResponse)).images

    async def image_status(self, image: str, verbose: bool = False) -> pb.ImageStatusResponse | None:
        """What is known of an image, None when it is not here; `verbose` adds its configuration as JSON in `info`."""
        request = pb.ImageStatusRequest(image=pb.ImageSpec(image=image), verbose=verbose)
        answer = await self._call(_IMAGES + "ImageStatus", request, pb.ImageStatusResponse)
        return answer if answer.HasField("image") else None

    async def remove_image(self, image: str) -> None:
        """Remove an image by any of its names. Harmless twice."""
        request = pb.RemoveImageRequest(image=pb.ImageSpec(image=image))
        await self._call(_IMAGES + "RemoveImage", request, pb.RemoveImageResponse)


async def wait_until_answering(cri: CriClient, seconds: float) -> pb.VersionResponse:
    """The runtime's version as soon as it answers: tried again every 20 ms while it starts. Raises CriError after
    `seconds`."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + seconds
    while True:
        try:
            return await cri.version()
        except CriError as error:
            if not (error.unavailable or error.timed_out) or loop.time() > give_up:
                raise
        await asyncio.sleep(0.02)
