"""When the machine is short of something: the kubelet's default hard thresholds. Pure.

Images, logs and volumes are on one file system here, so that of images (15 %) counts before that of the node (10 %).
Source: `pkg/kubelet/eviction/defaults_linux.go`. Process ids have a condition and, as by default there, no eviction.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.node.machine import Pressure
from skerry.kube.records import record

LEAST_MEMORY, LEAST_DISK_PART, LEAST_INODES_PART, LEAST_PIDS = 100 * 2**20, 0.15, 0.05, 1000
MEMORY, DISK, PIDS = "MemoryPressure", "DiskPressure", "PIDPressure"
_SUFFIXES = ("", "Ki", "Mi", "Gi", "Ti", "Pi")


@record
class Shortage:
    """What is short. `resource` as in Kubernetes' message; `threshold` and `available` in bytes or pieces."""

    condition: str
    resource: str
    threshold: int
    available: int

    @property
    def message(self) -> str:
        """The beginning of an evicted pod's message."""
        shown = str if self.resource == "inodes" else binary
        return (
            f"The node was low on resource: {self.resource}. Threshold quantity: {shown(self.threshold)}, "
            f"available: {shown(self.available)}. "
        )


def shortages(pressure: Pressure) -> Iterator[Shortage]:
    """What pods are evicted for, memory first as in the kubelet."""
    if pressure.memory_available < LEAST_MEMORY:
        yield Shortage(MEMORY, "memory", LEAST_MEMORY, pressure.memory_available)
    if pressure.disk_free_part < LEAST_DISK_PART:
        total = pressure.disk_total
        yield Shortage(DISK, "ephemeral-storage", int(total * LEAST_DISK_PART), int(total * pressure.disk_free_part))
    if pressure.inodes_free_part < LEAST_INODES_PART:
        total = pressure.inodes_total
        yield Shortage(DISK, "inodes", int(total * LEAST_INODES_PART), int(total * pressure.inodes_free_part))


def conditions(pressure: Pressure) -> frozenset[str]:
    """The conditions of the node that hold now."""
    short = {shortage.condition for shortage in shortages(pressure)}
    return frozenset(short | {PIDS} if pressure.pids_free < LEAST_PIDS else short)


def binary(amount: int) -> str:
    """Bytes as a quantity in its shortest exact form: 104857600 is "100Mi"."""
    power = 0
    while amount and amount % 1024 == 0 and power < len(_SUFFIXES) - 1:
        amount, power = amount // 1024, power + 1
    return f"{amount}{_SUFFIXES[power]}"
