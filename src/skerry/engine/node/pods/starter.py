"""Starts things: a pod's sandbox, and one attempt at a container from image to running process.

Neighbours: `worker` calls it, `spec` says what to ask the runtime for. Nothing is decided here. Raises PodProblem with
the waiting reason for the container's status.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.errors import ConfigError, CreateError, RunError
from skerry.engine.node.pods.interrupt import unless
from skerry.engine.node.pods.plan import Start
from skerry.engine.node.pods.state import SandboxRecord
from skerry.engine.node.pulling.puller import Available, Wanted, policy_of
from skerry.engine.node.spec.container import DEFAULT_MESSAGE_PATH, ContainerContext, container_config
from skerry.engine.node.spec.dns import left_out
from skerry.engine.node.spec.downward import PodFacts
from skerry.engine.node.spec.environment import Sources, env_files, environment, references
from skerry.engine.node.spec.names import hosts_file
from skerry.engine.node.spec.resources import pod_limits
from skerry.engine.node.spec.sandbox import SandboxContext, container_labels, pod_log_directory, sandbox_config
from skerry.engine.node.volumes.manager import MountRequest, unless_it_hangs
from skerry.engine.node.volumes.subpath import read_inside
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, namespace_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import RUNTIME_CLASSES

_HOSTS = "/etc/hosts"


@record
class StartJob:
    """What starting a container takes. `claim` is called with the new container's id before it runs, so that no event
    about it is missed."""

    pod: Obj
    container: Obj
    start: Start
    sandbox: SandboxRecord
    volumes: Mapping[str, Path]
    claim: Callable[[str], None]
    ending: asyncio.Event
    """Interrupts the wait for the image."""
    target: str = ""
    """The container whose processes an ephemeral container shares, by its id in the runtime."""


class Starter:
    """For all pods of the node."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context

    def sandbox_config(self, pod: Obj, attempt: int) -> pb.PodSandboxConfig:
        """The same for the sandbox and for every container in it. Raises ConfigError."""
        context = self._context
        logs = pod_log_directory(context.config.paths.pod_logs, pod)
        return sandbox_config(pod, attempt, SandboxContext(logs, context.cgroups.path(uid_of(pod)), context.dns))

    async def make_sandbox(self, pod: Obj, attempt: int) -> str:
        """A sandbox with its network; returns its id. Raises ConfigError, CriError, StatusError."""
        context, uid = self._context, uid_of(pod)
        context.network.check(pod)
        config, handler = self.sandbox_config(pod, attempt), await self._handler(pod)
        Path(config.log_directory).mkdir(parents=True, exist_ok=True, mode=0o755)
        context.cgroups.create(uid, pod_limits(pod))
        for message in left_out(pod, context.dns):
            context.recorder.event(pod, "Warning", "DNSConfigForming", message)
        async with context.slots.sandboxes:
            return await context.cri.run_pod_sandbox(config, handler)

    async def _handler(self, pod: Obj) -> str:
        """What the pod's runtime class calls the runtime, "" for the default one. Raises ConfigError, StatusError."""
        name = pod["spec"].get("runtimeClassName")
        if not name:
            return ""
        try:
            return str((await self._context.client.get(RUNTIME_CLASSES, name))["handler"])
        except NotFound as error:
            raise ConfigError(f'RuntimeClass "{name}" not found') from error

    async def start(self, job: StartJob) -> str:
        """Pull, create and start; returns the container's id. Raises PodProblem, Interrupted."""
        sandbox = self.sandbox_config(job.pod, job.sandbox.attempt)
        image = await unless(job.ending, self._image(job, sandbox))
        config = await self._container_config(job, image)
        context = self._context
        async with context.slots.containers:
            container_id = await self._create(job, config, sandbox)
            self._event(job, "Created", "Container created")
            await unless(job.ending, context.network.ready(uid_of(job.pod)))
            try:
                await context.cri.start_container(container_id)
            except CriError as error:
                raise RunError(f"failed to start container {container_id!r}: {error.message}") from error
        self._event(job, "Started", "Container started")
        return container_id

    async def _image(self, job: StartJob, sandbox: pb.PodSandboxConfig) -> Available:
        pod, container = job.pod, job.container
        names = [entry.get("name", "") for entry in pod["spec"].get("imagePullSecrets") or ()]
        secrets = await self._context.reader.read(namespace_of(pod), [("Secret", name) for name in names if name])
        image = str(container.get("image") or "")
        return await self._context.puller.ensure(
            Wanted(
                pod=pod,
                image=image,
                policy=policy_of(container),
                key=f"{uid_of(pod)}/{image}",
                field=field_path(pod, container),
                secrets=[secret for secret in secrets.values() if secret is not None],
                sandbox=sandbox,
            )
        )

    async def _container_config(self, job: StartJob, image: Available) -> pb.ContainerConfig:
        context, pod, container = self._context, job.pod, job.container
        wanted = references(container)
        context.object_watch.need(wanted)
        objects = await context.reader.read(namespace_of(pod), wanted)
        services = (*context.services.list(namespace_of(pod)), *context.services.list("default"))
        facts = PodFacts(pod, context.node, pod_ips(pod, job.sandbox, context.node.ips))
        files = {
            (volume, path): await unless_it_hangs(read_inside, job.volumes[volume], path)
            for volume, path in env_files(container)
        }
        variables = environment(facts, container, Sources(objects, services, files))
        request = MountRequest(pod, container, variables, job.volumes)
        mounts = await context.volumes.container_mounts(request)
        mounts += self._own_mounts(job, {mount.container_path for mount in mounts})
        return container_config(
            pod,
            container,
            ContainerContext(
                attempt=job.start.attempt,
                round=job.start.round,
                image_ref=image.reference,
                user=image.user,
                environment=variables,
                mounts=mounts,
                devices=context.volumes.container_devices(request),
                machine_memory=context.machine_memory,
                target=job.target,
            ),
        )

    def _own_mounts(self, job: StartJob, taken: set[str]) -> list[pb.Mount]:
        """/etc/hosts and the termination message's file, unless the container mounts something there itself."""
        pod, context = job.pod, self._context
        mounts = []
        if _HOSTS not in taken:
            machine = Path(_HOSTS).read_text(errors="replace") if pod["spec"].get("hostNetwork") else ""
            ips = pod_ips(pod, job.sandbox, context.node.ips)
            path = context.volumes.pod_directory(uid_of(pod)) / "etc-hosts"
            path.write_text(hosts_file(pod, ips, context.dns.domain, machine))
            path.chmod(0o644)
            mounts.append(pb.Mount(container_path=_HOSTS, host_path=str(path)))
        message_path = job.container.get("terminationMessagePath") or DEFAULT_MESSAGE_PATH
        if message_path not in taken:
            path = message_file(context, uid_of(pod), job.container["name"], job.start.attempt)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            path.chmod(0o666)  # whatever user the container runs as has to write it
            mounts.append(pb.Mount(container_path=message_path, host_path=str(path)))
        return mounts

    async def _create(self, job: StartJob, config: pb.ContainerConfig, sandbox: pb.PodSandboxConfig) -> str:
        context = self._context
        try:
            if job.start.discard:
                await context.cri.remove_container(job.start.discard)
            container_id = await context.cri.create_container(job.sandbox.id, config, sandbox)
        except CriError as error:
            await self._discard_namesakes(job)
            raise CreateError(error.message) from error
        job.claim(container_id)
        return container_id

    async def _discard_namesakes(self, job: StartJob) -> None:
        """An answer that was lost leaves a container nobody knows, which keeps the attempt's name."""
        with contextlib.suppress(CriError):
            labels = container_labels(job.pod, job.container["name"])
            for other in await self._context.cri.list_containers(labels=labels):
                if other.metadata.attempt == job.start.attempt:
                    await self._context.cri.remove_container(other.id)

    def _event(self, job: StartJob, reason: str, message: str) -> None:
        self._context.recorder.event(job.pod, "Normal", reason, message, field_path(job.pod, job.container))


def pod_ips(pod: Obj, sandbox: SandboxRecord, machine: tuple[str, ...]) -> tuple[str, ...]:
    """The pod's addresses: the machine's when it shares its network."""
    return machine if pod["spec"].get("hostNetwork") else sandbox.ips


def field_path(pod: Obj, container: Obj) -> str:
    """How events name a container: `spec.containers{web}`."""
    name = container["name"]
    for part in ("initContainers", "ephemeralContainers"):
        if any(name == other["name"] for other in pod["spec"].get(part) or ()):
            return f"spec.{part}{{{name}}}"
    return f"spec.containers{{{name}}}"


def message_file(context: NodeContext, uid: str, name: str, attempt: int) -> Path:
    """Where a container's termination message is on the machine."""
    return context.volumes.pod_directory(uid) / "containers" / name / str(attempt)


def log_file(context: NodeContext, pod: Obj, name: str, attempt: int) -> Path:
    """Where the runtime writes a container's log."""
    return pod_log_directory(context.config.paths.pod_logs, pod) / name / f"{attempt}.log"
