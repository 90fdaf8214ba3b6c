"""Ports of a node that pods want for themselves. Pure.

Source of the behaviour: the scheduler's `NodePorts`, which a kubelet asks too. Used by the scheduler, which finds a
node where they are free, and by the node, which takes pods that somebody else has bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from skerry.kube.objects import Obj

_EVERYWHERE = "0.0.0.0"  # noqa: S104  # compared, not bound


class HostPort(NamedTuple):
    """A port of the node that a container wants for itself. address "0.0.0.0" is every address."""

    protocol: str
    address: str
    port: int

    def conflicts(self, other: HostPort) -> bool:
        """Whether both cannot be on one node."""
        same_address = self.address == other.address or _EVERYWHERE in (self.address, other.address)
        return self.port == other.port and self.protocol == other.protocol and same_address


def host_ports(pod: Obj) -> list[HostPort]:
    """What the pod's containers and sidecars want."""
    return [
        HostPort(port.get("protocol") or "TCP", port.get("hostIP") or _EVERYWHERE, int(port["hostPort"]))
        for container in _long_running(pod["spec"])
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]


def _long_running(spec: Obj) -> Iterable[Obj]:
    yield from spec.get("containers") or ()
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            yield container
