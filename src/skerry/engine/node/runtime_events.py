"""What happens in containerd, from its event stream: the ends of containers' and sandboxes' own processes, and images
that come, change and go.

CRI of containerd 1.6 has no events (`GetContainerEvents` is unimplemented), so they come from containerd's own API. CRI
itself learns of them by the same events: it may show what happened a moment later only. Processes added by exec end
too; they are left out.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.engine.node.containerd import api_pb2 as pb
from skerry.engine.node.containerd.client import ContainerdClient

_EXIT = "/tasks/exit"
_FILTERS = (f'topic=="{_EXIT}"', 'topic~="^/images/"')
"""What any of them lets through."""


async def follow(
    containerd: ContainerdClient, exited: Callable[[str], None], images_changed: Callable[[], None]
) -> None:
    """Tell of all from now on. Raises ContainerdCallError when the stream breaks, as it does when containerd ends.

    `exited` is called with the id of the container or sandbox."""
    async for envelope in containerd.events(*_FILTERS):
        if envelope.topic != _EXIT:
            images_changed()
            continue
        event = pb.TaskExit.FromString(envelope.event.value)
        if event.id == event.container_id:
            exited(event.container_id)
