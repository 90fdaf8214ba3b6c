"""What is known of one pod on this machine: the input of the two pure functions, `plan` and `status.pod_status`.

Records are immutable and replaced when the runtime is asked again, so a view can be handed around. Times are aware UTC
datetimes; None means "has not happened".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from enum import Enum

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.kube.objects import Obj
from skerry.kube.records import record

POD_NAME, POD_NAMESPACE, POD_UID = "io.kubernetes.pod.name", "io.kubernetes.pod.namespace", "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
HASH_ANNOTATION = "io.kubernetes.container.hash"
RESTARTS_ANNOTATION = "io.kubernetes.container.restartCount"
ROUND_ANNOTATION = "skerry.dev/restart-round"
GRACE_ANNOTATION = "io.kubernetes.pod.terminationGracePeriod"
EVICTED = "Evicted"
"""The reason of pods that had to go for want of memory or disk."""
MESSAGE_PATH_ANNOTATION = "io.kubernetes.container.terminationMessagePath"


class Phase(Enum):
    """Where a container's process is."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"


@record
class ContainerRecord:
    """One attempt at one container, as the runtime last told it."""

    id: str
    sandbox_id: str
    name: str
    attempt: int
    phase: Phase
    image: str = ""
    image_id: str = ""
    spec_hash: str = ""
    round: int = 0
    """Of restarts of all the pod's containers (`restarts`)."""
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    created: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.phase is Phase.RUNNING

    @property
    def exited(self) -> bool:
        """Whether its process has ended (or never could start)."""
        return self.phase is Phase.EXITED

    @property
    def succeeded(self) -> bool:
        """Whether it ended with exit code 0."""
        return self.exited and self.exit_code == 0


@record
class SandboxRecord:
    """A pod's sandbox: the namespaces its containers share, and their addresses."""

    id: str
    attempt: int
    ready: bool
    ips: tuple[str, ...] = ()


@record
class Wait:
    """Why something cannot go on now. `until`: when (steady time) to try again; None while work is under way."""

    reason: str
    message: str = ""
    until: datetime | None = None


@record
class ProbeState:
    """What probes say of a running container. Without a probe: started and ready as soon as it runs, alive."""

    started: bool = True
    ready: bool = True
    failure: str = ""
    """Why liveness or startup gave up on the container: the message of its killing; "" while alive."""
    grace: int | None = None
    """The failed probe's own `terminationGracePeriodSeconds`, when it has one."""


@record
class Termination:
    """The pod has to end. `deadline`: when (steady time) the last process is killed. `failed`: the reason makes it a
    failed pod. `deletion`: the deletion timestamp that the deadline is from, "" for other reasons. `since`: when (wall
    clock) an eviction was decided."""

    deadline: datetime
    failed: bool = False
    reason: str = ""
    message: str = ""
    deletion: str = ""
    since: datetime | None = None


@record
class PodView:
    """A pod and everything observed about it at one moment. `now`: by the wall clock; `steady`: as deadlines are."""

    pod: Obj
    now: datetime
    steady: datetime
    sandbox: SandboxRecord | None = None
    containers: Mapping[str, tuple[ContainerRecord, ...]] = field(default_factory=dict)
    """Attempts by container name, newest first; at most the last two."""
    waits: Mapping[str, Wait] = field(default_factory=dict)
    """By container name."""
    pod_wait: Wait | None = None
    """Why the pod has no sandbox or volumes yet."""
    probes: Mapping[str, ProbeState] = field(default_factory=dict)
    """By container id."""
    killing: Mapping[str, datetime] = field(default_factory=dict)
    """Containers being stopped: by id, when SIGKILL comes."""
    termination: Termination | None = None
    volumes_ready: bool = False
    volumes_held: bool = False
    """Something is mounted that has not been asked back."""
    applied: Mapping[str, Obj] = field(default_factory=dict)
    """The `resources` in force, by container id."""
    pod_applied: Obj | None = None
    """The `resources` in force of the pod as a whole; None before it has a sandbox."""
    resize_pending: tuple[str, str] | None = None
    """Why wanted resources cannot be given: (reason, message)."""
    resize_wait: Wait | None = None
    """Why wanted resources that could be given are not in force."""

    def latest(self, name: str) -> ContainerRecord | None:
        """The newest attempt at a container."""
        attempts = self.containers.get(name)
        return attempts[0] if attempts else None

    def previous(self, name: str) -> ContainerRecord | None:
        """The attempt before the newest."""
        attempts = self.containers.get(name, ())
        return attempts[1] if len(attempts) > 1 else None

    def probe(self, record: ContainerRecord) -> ProbeState:
        """What probes say of it."""
        return self.probes.get(record.id, _NO_PROBES)

    @property
    def running(self) -> list[ContainerRecord]:
        """Every attempt whose process lives."""
        return [record for attempts in self.containers.values() for record in attempts if record.running]


_NO_PROBES = ProbeState()


def is_sidecar(container: Obj) -> bool:
    """Whether an init container is a restartable one (`restartPolicy: Always`)."""
    return container.get("restartPolicy") == "Always"


def init_containers(pod: Obj) -> list[Obj]:
    """`spec.initContainers`."""
    return pod["spec"].get("initContainers") or []


def main_containers(pod: Obj) -> list[Obj]:
    """`spec.containers`."""
    return pod["spec"].get("containers") or []


def ephemeral_containers(pod: Obj) -> list[Obj]:
    """`spec.ephemeralContainers`."""
    return pod["spec"].get("ephemeralContainers") or []


def all_containers(pod: Obj) -> Iterator[Obj]:
    """Containers of every sort."""
    yield from init_containers(pod)
    yield from main_containers(pod)
    yield from ephemeral_containers(pod)


def reported_statuses(pod: Obj) -> Iterator[Obj]:
    """The statuses of containers of every sort that the API has."""
    status = pod.get("status") or {}
    for part in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        yield from status.get(part) or ()


def restart_policy(pod: Obj) -> str:
    """`spec.restartPolicy`, "Always" when absent."""
    return str(pod["spec"].get("restartPolicy") or "Always")


def container_record(status: pb.ContainerStatus, sandbox_id: str) -> ContainerRecord:
    """From the runtime's answer. `reason` OOMKilled is believed only of an exited container: containerd also sets it
    when a child process was killed and the container lives on."""
    exited = status.state in (pb.CONTAINER_EXITED, pb.CONTAINER_UNKNOWN)
    phases = {pb.CONTAINER_CREATED: Phase.CREATED, pb.CONTAINER_RUNNING: Phase.RUNNING}
    return ContainerRecord(
        id=status.id,
        sandbox_id=sandbox_id,
        name=status.metadata.name,
        attempt=status.metadata.attempt,
        phase=phases.get(status.state, Phase.EXITED),
        image=status.image.image,
        image_id=status.image_ref,
        spec_hash=status.annotations.get(HASH_ANNOTATION, ""),
        round=int(status.annotations.get(ROUND_ANNOTATION, "0")),
        exit_code=status.exit_code if status.state != pb.CONTAINER_UNKNOWN else 255,
        reason=_exit_reason(status) if exited else "",
        message=status.message if exited else "",
        created=moment(status.created_at),
        started=moment(status.started_at),
        finished=moment(status.finished_at),
    )


def _exit_reason(status: pb.ContainerStatus) -> str:
    if status.state == pb.CONTAINER_UNKNOWN:
        return "ContainerStatusUnknown"
    return status.reason or ("Completed" if status.exit_code == 0 else "Error")


def moment(nanoseconds: int) -> datetime | None:
    """A runtime timestamp; 0 means it has not happened."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC) if nanoseconds > 0 else None


def spec_hash(container: Obj) -> str:
    """What must not change under a running container. Of the fields that can change in a stored pod only the image
    asks for a restart; hashing more would restart everything when a new release defaults another field."""
    text = json.dumps([container["name"], container.get("image", "")])
    return hashlib.sha256(text.encode()).hexdigest()[:8]
