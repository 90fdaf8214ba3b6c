"""Which of the runtime's containers a pod's container name means, by the labels the node agent gives them.

Wording of the refusals: the kubelet's (`pkg/kubelet/kubelet_pods.go`, `validateContainerLogStatus`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.kube.errors import BadRequest, InternalError, NotFound, StatusError
from skerry.kube.objects import Obj, name_of, uid_of

POD_NAME, POD_NAMESPACE, POD_UID = "io.kubernetes.pod.name", "io.kubernetes.pod.namespace", "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


async def attempts(cri: CriClient, pod: Obj, name: str) -> Sequence[pb.Container]:
    """Every attempt at a container that the runtime knows, the newest first. Raises InternalError."""
    labels = {POD_UID: uid_of(pod), CONTAINER_NAME: name}
    try:
        found = await cri.list_containers(labels=labels)
    except CriError as error:
        raise InternalError(f"the container runtime does not answer: {error}") from error
    return sorted(found, key=lambda one: (one.metadata.attempt, one.created_at), reverse=True)


async def running(cri: CriClient, pod: Obj, name: str) -> pb.Container:
    """The running attempt. Raises BadRequest or NotFound with what is the matter, InternalError."""
    found = await attempts(cri, pod, name)
    if found and found[0].state == pb.CONTAINER_RUNNING:
        return found[0]
    if found and found[0].state == pb.CONTAINER_EXITED:
        raise BadRequest(f"cannot exec in a stopped container: container {name} of pod {name_of(pod)} has ended")
    if not found and not waiting_reason(pod, name):
        raise NotFound(f'container not found ("{name}")')
    raise is_waiting(pod, name)


async def logged(cri: CriClient, pod: Obj, name: str, previous: bool) -> pb.Container:
    """The attempt whose log is meant. Raises BadRequest, InternalError."""
    chosen = choose_logged(await attempts(cri, pod, name), previous)
    if chosen is not None:
        return chosen
    if previous:
        raise BadRequest(f'previous terminated container "{name}" in pod "{name_of(pod)}" not found')
    raise is_waiting(pod, name)


def choose_logged(newest_first: Iterable[pb.Container], previous: bool) -> pb.Container | None:
    """The newest that was ever started; with `previous` the newest ended one before that which runs or ended last.

    While a restarted container waits, the one that ended last is the current one, as in the kubelet.
    """
    started = [one for one in newest_first if one.state in (pb.CONTAINER_RUNNING, pb.CONTAINER_EXITED)]
    position = 1 if previous else 0
    return started[position] if len(started) > position else None


def is_waiting(pod: Obj, name: str) -> StatusError:
    """`container "x" in pod "y" is waiting to start: reason`."""
    reason = waiting_reason(pod, name) or "ContainerCreating"
    return BadRequest(f'container "{name}" in pod "{name_of(pod)}" is waiting to start: {reason}')


def waiting_reason(pod: Obj, name: str) -> str:
    """Why the API says it waits: "ImagePullBackOff"...; "" when it does not."""
    status = pod.get("status") or {}
    for key in _STATUSES:
        for one in status.get(key) or ():
            if one.get("name") == name:
                return str((one.get("state") or {}).get("waiting", {}).get("reason", ""))
    return ""
