"""What the API server needs from the machine a pod runs on: streams into containers, logs, usage.

The API server is given an implementation by `program` (the node agent's `node.access`); it knows only this contract, so
`engine.api` never imports `engine.node`. Source of the behaviour: the kubelet's server (`pkg/kubelet/server`).
All methods raise `kube.errors.StatusError` (NotFound, BadRequest with the kubelet's wording, InternalError).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from skerry.kube.objects import Obj
from skerry.kube.pod_streams import STDERR, STDOUT, LogOptions, StreamOptions

__all__ = ["STDERR", "STDOUT", "LogOptions", "PodAccess", "StreamOptions", "StreamSession"]


class StreamSession(Protocol):
    """A running exec or attach."""

    def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """(STDOUT or STDERR, data) until both are closed."""
        ...

    async def write_stdin(self, data: bytes) -> None:
        """Feed standard input; waits while the process does not read."""
        ...

    async def close_stdin(self) -> None:
        """End of standard input."""
        ...

    async def resize(self, width: int, height: int) -> None:
        """The terminal's size in characters."""
        ...

    async def wait(self) -> int:
        """The exit code; for attach, of the container."""
        ...

    async def close(self) -> None:
        """The client is gone: end an exec's process, detach an attach. Harmless twice."""
        ...


class PodAccess(Protocol):
    """Into the pods of this machine. `pod` is the API object."""

    def logs(self, pod: Obj, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Chunks of log text; with `follow` until the container ends."""
        ...

    async def exec(self, pod: Obj, container: str, command: Sequence[str], options: StreamOptions) -> StreamSession:
        """Start a command in a running container."""
        ...

    async def attach(self, pod: Obj, container: str, options: StreamOptions) -> StreamSession:
        """Join the container's own streams."""
        ...

    async def port_forward(self, pod: Obj, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection to a port inside the pod's network. Raises InternalError when nobody listens."""
        ...

    async def pod_metrics(self) -> Sequence[Obj]:
        """`metrics.k8s.io/v1beta1` PodMetrics of all running pods."""
        ...

    async def node_metrics(self) -> Sequence[Obj]:
        """`metrics.k8s.io/v1beta1` NodeMetrics."""
        ...

    async def summary(self) -> Obj:
        """The kubelet's Summary (`stats/v1alpha1`)."""
        ...

    async def metrics_page(self, page: str) -> str:
        """Prometheus text: "" for what the agent says of itself, "resource" or "cadvisor" for what its pods use."""
        ...

    async def running_pods(self) -> Obj:
        """A PodList of what the runtime runs."""
        ...
