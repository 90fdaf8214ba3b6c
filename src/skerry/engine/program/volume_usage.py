"""What mounted volumes hold: for the kubelet's reports (`node.access.volume_reports`) and for events when they fill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from skerry.engine.controllers.context import Context
from skerry.engine.node.access.volume_reports import VolumeFacts
from skerry.engine.storage.contract import Usage
from skerry.engine.storage.registry import Drivers
from skerry.engine.storage.usage.meter import Meter, Reading
from skerry.engine.storage.usage.mounted import Mounted
from skerry.engine.storage.usage.watch import UsageWatch

_NOTHING_KNOWN = Usage(None, None, None)


class VolumeUsage:
    """The storage room as reports know it. Whoever asks for one has the volumes looked at sooner, at no cost."""

    def __init__(self, meter: Meter, watch: UsageWatch) -> None:
        self._meter = meter
        self._watch = watch

    async def volumes(self) -> Sequence[VolumeFacts]:
        """Of every pod of the machine."""
        readings = await self._meter.read()
        await self._watch.consider(readings)
        return [_facts(one) for one in readings]


class UsageParts(NamedTuple):
    """Who reports, and who watches: to be started."""

    reports: VolumeUsage
    watch: UsageWatch


def make_volume_usage(context: Context, mounted: Mounted, drivers: Drivers) -> UsageParts:
    """Connected to the shared caches, not yet started."""
    meter = Meter(mounted, drivers.get)
    memory = context.config.paths.data / "storage" / "levels.json"
    watch = UsageWatch(meter, context.informers, context.recorder, memory)
    return UsageParts(VolumeUsage(meter, watch), watch)


def _facts(reading: Reading) -> VolumeFacts:
    volume, usage = reading.volume, reading.usage or _NOTHING_KNOWN
    return VolumeFacts(
        volume.namespace,
        volume.pod_uid,
        volume.name,
        volume.claim,
        capacity=usage.capacity,
        available=usage.available,
        used=usage.used,
        inodes=usage.inodes,
        inodes_free=usage.inodes_free,
        inodes_used=usage.inodes_used,
        healthy=reading.usage is not None,
    )
