"""Looks at mounted volumes once a minute and says on claim and pods when one fills up. Idle when nothing is mounted.

What was said is remembered in `<data>/storage/levels.json` (claim or pod volume: levels of bytes and inodes), so that a
restart says nothing twice. Neighbours: `meter` measures, `levels` decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

import orjson

from skerry.engine.storage.contract import Usage
from skerry.engine.storage.usage import levels
from skerry.engine.storage.usage.meter import Meter, Reading
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, uid_of
from skerry.kube.quantities import bytes_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS, STORAGE_CLASSES
from skerry.kube.tasks import end

log = logging.getLogger(__name__)

PERIOD = 60.0
"""Seconds between two looks."""
_Levels = dict[str, tuple[int, int]]


class UsageWatch:
    """The machine's volumes."""

    def __init__(self, meter: Meter, informers: Informers, recorder: Recorder, memory: Path) -> None:
        self._meter = meter
        self._claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
        self._pods = informers.of(PODS)
        self._classes = informers.of(STORAGE_CLASSES)
        self._recorder = recorder.named("volume-usage")
        self._memory = memory
        self._levels: _Levels = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on."""
        self._levels = _remembered(self._memory)
        self._task = asyncio.create_task(self._run(), name="volume usage")

    async def close(self) -> None:
        """Look no more."""
        await end(self._task)
        await self._meter.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            try:
                await self.look()
            except Exception:
                log.exception("usage of volumes: unexpected failure")

    async def look(self) -> None:
        """Measure everything once and tell what is new."""
        await self.consider(await self._meter.read())

    async def consider(self, measured: Sequence[Reading]) -> None:
        """Tell what is new in readings of everything, for whomever they were made."""
        readings = [one for one in measured if self._is_writers(one)]
        if not readings:
            return
        by_key: dict[str, list[Reading]] = {}
        for reading in readings:
            by_key.setdefault(self._key(reading), []).append(reading)
        known = {uid_of(claim) for claim in self._claims.list()} | set(by_key)
        fresh = {key: level for key, level in self._levels.items() if key in known}
        for key, group in by_key.items():
            fresh[key] = self._judged(group, fresh.get(key, (0, 0)))
        fresh = {key: level for key, level in fresh.items() if any(level)}
        if fresh != self._levels:
            self._levels = fresh
            await asyncio.to_thread(_remember, self._memory, fresh)

    def _judged(self, readings: Sequence[Reading], before: tuple[int, int]) -> tuple[int, int]:
        usage = readings[0].usage
        if usage is None:
            return before
        filling = levels.filling(usage)
        now = levels.level_of(filling.bytes, before[0]), levels.level_of(filling.inodes, before[1])
        for of, level, old in zip(("bytes", "inodes"), now, before, strict=True):
            if level > old:
                self._tell(readings, usage, of, level)
        return now

    def _tell(self, readings: Sequence[Reading], usage: Usage, of: str, level: int) -> None:
        claim = self._claim(readings[0])
        reason = "VolumeFull" if level == max(levels.LEVELS) else "VolumeFillingUp"
        text = levels.sentence(usage, of=of)
        text += self._help(claim) if claim is not None else ". It ends with its pod"
        if claim is not None:
            self._recorder.event(claim, "Warning", reason, f"The volume is {text}")
        for reading in readings:
            pod = self._pods.get(reading.volume.pod, reading.volume.namespace)
            if pod is not None:
                self._recorder.event(pod, "Warning", reason, f'Volume "{reading.volume.name}" is {text}')

    def _help(self, claim: Obj) -> str:
        """The command that helps: more room where the class gives it, else what is large."""
        name, namespace = claim["metadata"]["name"], claim["metadata"]["namespace"]
        storage_class = self._classes.get(claim["spec"].get("storageClassName") or "")
        size = ((claim.get("status") or {}).get("capacity") or {}).get("storage")
        if storage_class is not None and storage_class.get("allowVolumeExpansion") and size:
            return f". More room: skerry volumes expand {name} {levels.larger(bytes_of(size))} -n {namespace}"
        return f". What is large in it: skerry volumes du {name} -n {namespace}"

    def _is_writers(self, reading: Reading) -> bool:
        """Whether those who mount it fill it: not what is only read, nor a file system that others have too."""
        claim = self._claim(reading)
        modes = claim["spec"].get("accessModes") if claim is not None else ()
        return not reading.volume.is_in_tree and modes != ["ReadOnlyMany"]

    def _claim(self, reading: Reading) -> Obj | None:
        volume = reading.volume
        return self._claims.get(volume.claim, volume.namespace) if volume.claim else None

    def _key(self, reading: Reading) -> str:
        claim = self._claim(reading)
        return uid_of(claim) if claim is not None else f"{reading.volume.pod_uid}/{reading.volume.name}"


def _remembered(memory: Path) -> _Levels:
    try:
        document = orjson.loads(memory.read_bytes())
        return {str(key): (int(size), int(inodes)) for key, (size, inodes) in document.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # the first look, or a file that a crash cut short: then something is said twice


def _remember(memory: Path, known: _Levels) -> None:
    with contextlib.suppress(OSError):  # a full disk: said again after a restart
        memory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = memory.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(known))
        fresh.chmod(0o600)
        fresh.replace(memory)
