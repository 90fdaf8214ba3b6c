"""A container as the runtime is asked for it (the kubelet's `generateContainerConfig`). Pure but for looking up a
seccomp profile's file. Raises ConfigError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.errors import ConfigError
from skerry.engine.node.pods.state import (
    GRACE_ANNOTATION,
    HASH_ANNOTATION,
    MESSAGE_PATH_ANNOTATION,
    RESTARTS_ANNOTATION,
    ROUND_ANNOTATION,
    spec_hash,
)
from skerry.engine.node.spec.expansion import expand
from skerry.engine.node.spec.resources import container_resources
from skerry.engine.node.spec.sandbox import container_labels
from skerry.engine.node.spec.security import ImageUser, check_non_root, container_security
from skerry.kube.objects import Obj
from skerry.kube.records import record

DEFAULT_MESSAGE_PATH = "/dev/termination-log"


@record
class ContainerContext:
    """What was found out for one attempt at a container: its image, environment (in order) and mounts.
    `machine_memory` in bytes."""

    attempt: int
    image_ref: str
    user: ImageUser
    environment: Mapping[str, str]
    mounts: Sequence[pb.Mount]
    machine_memory: int
    round: int = 0
    """Of restarts of all the pod's containers (`pods.restarts`)."""
    devices: Sequence[pb.Device] = ()
    target: str = ""
    """The id of the container whose process namespace it joins, "" for none."""


def container_config(pod: Obj, container: Obj, context: ContainerContext) -> pb.ContainerConfig:
    """The runtime's request for one attempt."""
    check_non_root(pod, container, context.user)
    if (container.get("lifecycle") or {}).get("stopSignal"):
        raise ConfigError("lifecycle.stopSignal is not supported by the container runtime")
    name, variables = container["name"], context.environment
    return pb.ContainerConfig(
        metadata=pb.ContainerMetadata(name=name, attempt=context.attempt),
        image=pb.ImageSpec(image=context.image_ref),
        command=[expand(word, variables) for word in container.get("command") or ()],
        args=[expand(word, variables) for word in container.get("args") or ()],
        working_dir=container.get("workingDir") or "",
        envs=[pb.KeyValue(key=key, value=value) for key, value in variables.items()],
        mounts=context.mounts,
        devices=context.devices,
        labels=container_labels(pod, name),
        annotations=_annotations(pod, container, context),
        log_path=f"{name}/{context.attempt}.log",
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        tty=bool(container.get("tty")),
        linux=pb.LinuxContainerConfig(
            resources=container_resources(pod, container, context.machine_memory),
            security_context=_security(pod, container, context),
        ),
    )


def _security(pod: Obj, container: Obj, context: ContainerContext) -> pb.LinuxContainerSecurityContext:
    """In the target's process namespace, unless the whole pod shares one."""
    security = container_security(pod, container, context.user)
    if context.target and security.namespace_options.pid == pb.CONTAINER:
        security.namespace_options.pid = pb.TARGET
        security.namespace_options.target_id = context.target
    return security


def _annotations(pod: Obj, container: Obj, context: ContainerContext) -> dict[str, str]:
    """What an engine that comes back has to know of a container without asking the API."""
    return {
        HASH_ANNOTATION: spec_hash(container),
        RESTARTS_ANNOTATION: str(context.attempt),
        ROUND_ANNOTATION: str(context.round),
        GRACE_ANNOTATION: str(pod["spec"].get("terminationGracePeriodSeconds", 30)),
        MESSAGE_PATH_ANNOTATION: container.get("terminationMessagePath") or DEFAULT_MESSAGE_PATH,
    }
