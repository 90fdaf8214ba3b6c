"""Which pod goes first, and what it is told. Pure.

Source: `rankMemoryPressure`, `rankDiskPressureFunc` and `evictionMessage` in `pkg/kubelet/eviction/helpers.go`; limits:
`localStorageEviction` in `eviction_manager.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from skerry.engine.node.pods.state import init_containers, is_sidecar, main_containers
from skerry.engine.node.pressure.signals import Shortage, binary
from skerry.engine.node.pressure.watch import is_critical
from skerry.kube.objects import Obj
from skerry.kube.quantities import bytes_of
from skerry.kube.records import record


@record
class PodUsage:
    """What one pod uses, in bytes: memory and disk (writable layer and logs) by container, emptyDirs by volume."""

    pod: Obj
    memory: Mapping[str, int] = field(default_factory=dict)
    disk: Mapping[str, int] = field(default_factory=dict)
    volumes: Mapping[str, int] = field(default_factory=dict)

    def of(self, resource: str) -> int:
        """The whole pod's."""
        return sum(self.memory.values()) if resource == "memory" else sum((*self.disk.values(), *self.volumes.values()))


def ranked(usages: Iterable[PodUsage], resource: str) -> list[PodUsage]:
    """First to go first: those that use more than they asked for, then low priority, then what is used above that."""
    measured = "memory" if resource == "memory" else "ephemeral-storage"

    def place(usage: PodUsage) -> tuple[bool, int, int]:
        above = usage.of(measured) - _request(usage.pod, measured)
        return above <= 0, usage.pod["spec"].get("priority") or 0, -above

    return sorted((usage for usage in usages if not is_critical(usage.pod)), key=place)


def message(usage: PodUsage, shortage: Shortage) -> str:
    """What an evicted pod's status says: the shortage, and the containers that use more than they asked for."""
    resource = "memory" if shortage.resource == "memory" else "ephemeral-storage"
    used = usage.memory if resource == "memory" else usage.disk
    texts = [shortage.message]
    for container in _lasting(usage.pod):
        amount, request = used.get(container["name"], 0), _amount(container, "requests", resource)
        if amount > request:
            texts.append(
                f"Container {container['name']} was using {binary(amount)}, request is "
                f"{binary(request)}, has larger consumption of {resource}. "
            )
    return "".join(texts)


def excess(usage: PodUsage) -> str:
    """Which limit of local storage a pod exceeds, as its message; "" for none."""
    return next(_excesses(usage), "")


def _excesses(usage: PodUsage) -> Iterator[str]:
    for volume in usage.pod["spec"].get("volumes") or ():
        limit = (volume.get("emptyDir") or {}).get("sizeLimit")
        if limit and bytes_of(limit) and usage.volumes.get(volume["name"], 0) > bytes_of(limit):
            yield f'Usage of EmptyDir volume "{volume["name"]}" exceeds the limit "{limit}". '
    limits = [_amount(container, "limits", "ephemeral-storage") for container in _lasting(usage.pod)]
    if limits and all(limits) and usage.of("ephemeral-storage") > sum(limits):
        yield f"Pod ephemeral local storage usage exceeds the total limit of containers {binary(sum(limits))}. "
    for container in _lasting(usage.pod):
        limit = _amount(container, "limits", "ephemeral-storage")
        if limit and usage.disk.get(container["name"], 0) > limit:
            yield f'Container {container["name"]} exceeded its local ephemeral storage limit "{binary(limit)}". '


def has_limits(pod: Obj) -> bool:
    """Whether there is a limit of local storage to watch."""
    volumes = any((volume.get("emptyDir") or {}).get("sizeLimit") for volume in pod["spec"].get("volumes") or ())
    return volumes or any(_amount(container, "limits", "ephemeral-storage") for container in _lasting(pod))


def _lasting(pod: Obj) -> list[Obj]:
    return [*main_containers(pod), *(each for each in init_containers(pod) if is_sidecar(each))]


def _request(pod: Obj, resource: str) -> int:
    return sum(_amount(container, "requests", resource) for container in _lasting(pod))


def _amount(container: Obj, side: str, resource: str) -> int:
    return bytes_of(((container.get("resources") or {}).get(side) or {}).get(resource, 0))
