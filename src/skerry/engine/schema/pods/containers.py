"""Rules on containers. Source: `validateContainers`, `validateInitContainers`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, not_supported, required
from skerry.engine.schema.pods.environment import check_env_files, check_environment
from skerry.engine.schema.pods.probes import check_lifecycle, check_probes
from skerry.engine.schema.pods.resources import check_resources
from skerry.engine.schema.pods.restarts import check_restart_policy
from skerry.engine.schema.pods.security import check_container_security
from skerry.engine.schema.pods.volumes import check_mounts
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
_NOT_FOR_INIT = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def check_containers(spec: Obj, field: str) -> Iterator[Cause]:
    """Init containers and containers: each by itself, then what they must not share."""
    volumes = {volume.get("name"): volume for volume in spec.get("volumes") or ()}
    host_network = bool(spec.get("hostNetwork"))
    if not spec.get("containers"):
        yield required(f"{field}.containers")
    seen: set[str] = set()
    for part in ("containers", "initContainers"):
        host_ports: set[tuple[str, str, int]] = set()
        for index, container in enumerate(spec.get(part) or ()):
            below = f"{field}.{part}[{index}]"
            yield from check_container(container, below, host_network=host_network)
            yield from check_mounts(container, below, volumes)
            yield from check_restart_policy(container, below)
            yield from check_env_files(container, below, volumes)
            if part == "initContainers":
                yield from _check_init(container, below)
            if container.get("name") in seen:
                yield duplicate(f"{below}.name", container["name"])
            seen.add(container.get("name", ""))
            yield from _check_host_ports(container, below, host_ports)


def check_container(container: Obj, field: str, *, host_network: bool) -> Iterator[Cause]:
    """One container of any sort, by itself."""
    name = container.get("name")
    if not name:
        yield required(f"{field}.name")
    elif complaint := names.label(name):
        yield invalid(f"{field}.name", name, complaint)
    yield from _check_image(container, field)
    if container.get("ports"):
        yield from _check_ports(container["ports"], f"{field}.ports", host_network=host_network)
    yield from check_environment(container, field)
    yield from check_probes(container, field)
    if container.get("lifecycle"):
        yield from check_lifecycle(container["lifecycle"], f"{field}.lifecycle")
    if container.get("resources"):
        yield from check_resources(container["resources"], f"{field}.resources")
    if container.get("securityContext"):
        yield from check_container_security(container["securityContext"], f"{field}.securityContext")
    if container.get("terminationMessagePolicy") not in ("File", "FallbackToLogsOnError"):
        policy = container.get("terminationMessagePolicy", "")
        yield not_supported(f"{field}.terminationMessagePolicy", policy, ("File", "FallbackToLogsOnError"))


def _check_image(container: Obj, field: str) -> Iterator[Cause]:
    image = container.get("image")
    if not image:
        yield required(f"{field}.image")
    elif image != image.strip():
        yield invalid(f"{field}.image", image, "must not have leading or trailing whitespace")
    if container.get("imagePullPolicy") not in PULL_POLICIES:
        yield not_supported(f"{field}.imagePullPolicy", container.get("imagePullPolicy", ""), PULL_POLICIES)


def _check_ports(ports: list[Obj], field: str, *, host_network: bool) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        below = f"{field}[{index}]"
        name, number, host_port = port.get("name"), port.get("containerPort"), port.get("hostPort")
        if name:
            if complaint := names.port_name(name):
                yield invalid(f"{below}.name", name, complaint)
            elif name in seen:
                yield duplicate(f"{below}.name", name)
            seen.add(name)
        if not number:
            yield required(f"{below}.containerPort")
        elif complaint := names.port_number(number):
            yield invalid(f"{below}.containerPort", number, complaint)
        if host_port and (complaint := names.port_number(host_port)):
            yield invalid(f"{below}.hostPort", host_port, complaint)
        if host_network and host_port != number:
            yield invalid(f"{below}.hostPort", host_port or 0, "must match `containerPort` when `hostNetwork` is true")
        if port.get("protocol") not in PROTOCOLS:
            yield not_supported(f"{below}.protocol", port.get("protocol", ""), PROTOCOLS)


def _check_host_ports(container: Obj, field: str, taken: set[tuple[str, str, int]]) -> Iterator[Cause]:
    for index, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort"):
            place = (port.get("hostIP", ""), port.get("protocol", ""), port["hostPort"])
            if place in taken:
                yield duplicate(f"{field}.ports[{index}].hostPort", f"{place[1]}/{place[0]}/{place[2]}")
            taken.add(place)


def _check_init(container: Obj, field: str) -> Iterator[Cause]:
    if container.get("restartPolicy") == "Always":
        return
    for name in _NOT_FOR_INIT:
        if container.get(name):
            yield forbidden(f"{field}.{name}", "may not be set for init containers without restartPolicy=Always")
