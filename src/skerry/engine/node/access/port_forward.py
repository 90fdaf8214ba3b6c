"""A TCP connection to a port of a pod. Wording of the failure: containerd's CRI (`sandbox_portforward_linux.go`)."""

from __future__ import annotations

import asyncio
import json

from skerry.engine.node.access.containers import POD_UID
from skerry.engine.node.access.network_namespace import connect
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.kube.errors import InternalError, NotFound
from skerry.kube.objects import Obj, name_of, uid_of

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def open_port(cri: CriClient, pod: Obj, port: int) -> Streams:
    """Connect. Raises NotFound when the pod does not run here, InternalError when nobody listens."""
    pid = await _namespace_holder(cri, pod)
    try:
        connected = await connect(pid, port)
    except (OSError, TimeoutError) as error:
        where = f"failed to connect to localhost:{port} inside the network of pod {name_of(pod)}"
        raise InternalError(f"error forwarding port {port} to pod {uid_of(pod)}: {where}: {error}") from error
    return await asyncio.open_connection(sock=connected)


async def _namespace_holder(cri: CriClient, pod: Obj) -> int:
    """A process in the pod's network namespace; 0 for a pod in the host's."""
    try:
        sandboxes = await cri.list_pod_sandboxes({POD_UID: uid_of(pod)})
        ready = [sandbox for sandbox in sandboxes if sandbox.state == pb.SANDBOX_READY]
        if not ready:
            raise NotFound(f"pod {name_of(pod)} does not run on this node")
        answer = await cri.pod_sandbox_status(max(ready, key=lambda one: one.created_at).id, verbose=True)
    except CriError as error:
        raise InternalError(f"the container runtime does not answer: {error}") from error
    if answer.status.linux.namespaces.options.network == pb.NODE:
        return 0
    return int(json.loads(answer.info["info"])["pid"])
