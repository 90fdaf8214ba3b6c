"""The ends of containers' and sandboxes' own processes, from containerd's event stream.

CRI of containerd 1.6 has no events (`GetContainerEvents` is unimplemented), so they come from containerd's own API.
Processes added by exec end too; they are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from skerry.engine.node.containerd import api_pb2 as pb
from skerry.engine.node.containerd.client import ContainerdClient

_TOPIC = 'topic=="/tasks/exit"'


async def task_exits(containerd: ContainerdClient) -> AsyncIterator[pb.TaskExit]:
    """From now on. Raises ContainerdCallError when the stream breaks, as it does when containerd ends."""
    async for envelope in containerd.events(_TOPIC):
        event = pb.TaskExit.FromString(envelope.event.value)
        if event.id == event.container_id:
            yield event
