"""The pods behind a Service and the ports they answer on: what Endpoints and EndpointSlices have in common.

Source: Kubernetes `pkg/api/v1/endpoints`, `staging/src/k8s.io/endpointslice/util`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from skerry.engine.controllers.pods import is_finished, node_of, phase_of
from skerry.kube.conditions import condition_of
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, is_deleting, key_of, labels_of, name_of, namespace_of, uid_of


class BackendPort(NamedTuple):
    """A Service port as one pod answers it."""

    name: str
    port: int
    protocol: str
    app_protocol: str = ""

    def to_json(self) -> Obj:
        """As it stands in an EndpointSlice."""
        entry: Obj = {"name": self.name, "port": self.port, "protocol": self.protocol}
        return {**entry, "appProtocol": self.app_protocol} if self.app_protocol else entry


Ports = tuple[BackendPort, ...]


def has_backends(service: Obj) -> bool:
    """Whether we keep its endpoints: it has a selector and is no alias."""
    spec = service["spec"]
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName"


def is_headless(service: Obj) -> bool:
    """Whether it has no cluster address."""
    return bool(service["spec"].get("clusterIP") == "None")


def services_of(pod: Obj, services: Informer) -> Iterable[str]:
    """Keys of the Services that select the pod."""
    labels = labels_of(pod).items()
    for service in services.list(namespace_of(pod)) if labels else ():
        if has_backends(service) and service["spec"]["selector"].items() <= labels:
            yield key_of(service)


def selected_pods(service: Obj, pods: Informer) -> list[Obj]:
    """Pods of the Service's namespace that its selector matches."""
    wanted = service["spec"]["selector"].items()
    return [pod for pod in pods.list(namespace_of(service)) if wanted <= labels_of(pod).items()]


def is_backend(pod: Obj, include_terminating: bool) -> bool:
    """Whether it can be listed at all: it has an address, has not finished, and is not on its way out (or may be)."""
    has_address = bool((pod.get("status") or {}).get("podIP"))
    return has_address and not is_finished(pod) and (include_terminating or not is_deleting(pod))


def backend_view(pod: Obj) -> tuple[object, ...]:
    """What of a pod its endpoints show: two states that agree in this need no second look."""
    spec, status, condition = pod["spec"], pod.get("status") or {}, condition_of(pod, "Ready")
    return (
        condition is not None and condition.get("status") == "True",
        status.get("podIP"),
        is_deleting(pod),
        phase_of(pod),
        labels_of(pod),
        node_of(pod),
        (spec.get("hostname"), spec.get("subdomain")),
    )


def address_of(pod: Obj, family: str) -> str:
    """The pod's first address of "IPv4" or "IPv6", or ""."""
    status = pod.get("status") or {}
    listed = [entry.get("ip", "") for entry in status.get("podIPs") or ()] or [status.get("podIP") or ""]
    return next((ip for ip in listed if ip and (":" in ip) == (family == "IPv6")), "")


def families_of(service: Obj) -> Sequence[str]:
    """The address families the Service speaks."""
    return service["spec"].get("ipFamilies") or ("IPv4",)


class PortResolver:
    """A Service's ports as its pods answer them; worked out once unless a target port is a name."""

    def __init__(self, service: Obj) -> None:
        self._ports = service["spec"].get("ports") or ()
        named = any(not str(port.get("targetPort") or port["port"]).isdecimal() for port in self._ports)
        self._fixed = None if named else self._resolve({"spec": {}})

    def of(self, pod: Obj) -> Ports:
        """The ports on this pod; a named target port the pod does not have is left out."""
        return self._resolve(pod) if self._fixed is None else self._fixed

    def _resolve(self, pod: Obj) -> Ports:
        found = []
        for port in self._ports:
            number = target_port(port, pod)
            if number is not None:
                protocol = port.get("protocol") or "TCP"
                found.append(BackendPort(port.get("name") or "", number, protocol, port.get("appProtocol") or ""))
        return tuple(found)


def target_port(service_port: Obj, pod: Obj) -> int | None:
    """The number of the port on the pod."""
    target = str(service_port.get("targetPort") or service_port["port"])
    if target.isdecimal():
        return int(target)
    protocol = service_port.get("protocol") or "TCP"
    sidecars = (one for one in pod["spec"].get("initContainers") or () if one.get("restartPolicy") == "Always")
    for container in (*(pod["spec"].get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            if port.get("name") == target and (port.get("protocol") or "TCP") == protocol:
                return int(port["containerPort"])
    return None


def target_reference(pod: Obj) -> Obj:
    """The `targetRef` of an endpoint."""
    return {"kind": "Pod", "namespace": namespace_of(pod), "name": name_of(pod), "uid": uid_of(pod)}


def own_hostname(pod: Obj, service: Obj) -> str:
    """The host name the pod has under this (headless) Service, or ""."""
    spec = pod["spec"]
    return str(spec.get("hostname") or "") if spec.get("subdomain") == name_of(service) else ""
