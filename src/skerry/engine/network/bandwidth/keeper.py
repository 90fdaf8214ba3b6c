"""Keeps the limits of this node's pods: set before their containers start, changed with the annotations.

The node agent tells of pods as it tells the keeper of network policies (`node.pod_network`); `program` stands between.
A pod without the annotations costs nothing but being remembered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from skerry.engine.config import EngineConfig
from skerry.engine.network.bandwidth.limits import NONE, Limits, limits_of
from skerry.engine.network.bandwidth.shaping import release, remove_devices, shape
from skerry.engine.network.commands import CommandError
from skerry.engine.network.machine import routes
from skerry.kube.events import Recorder
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, annotations_of, uid_of
from skerry.kube.resources import PODS

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Shaped:
    """A pod with an address."""

    pod: Obj
    address: str
    limits: Limits = NONE
    work: asyncio.Task[None] | None = None
    """The newest change; it waits for the one before it."""


class BandwidthKeeper:
    """For all pods of the node."""

    def __init__(self, config: EngineConfig, informers: Informers, recorder: Recorder) -> None:
        self._config = config
        self._pods = informers.of(PODS)
        self._recorder = recorder.named("bandwidth")
        self._known: dict[str, _Shaped] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Follow annotations; take away what pods left behind that went while no engine ran."""
        self._pods.add_handler(self._pod_changed)
        there = frozenset(one.destination for one in routes() if one.is_host)
        self._spawn(remove_devices(self._config, but_of=there))

    async def close(self) -> None:
        """What is being done is done to its end; limits stay."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def attached(self, pod: Obj, address: str) -> None:
        """The pod has this address from now on, perhaps for a second time."""
        known = self._known.get(uid_of(pod))
        if known is None or known.address != address:
            self._known[uid_of(pod)] = _Shaped(pod, address)
        self._follow(pod)

    def detached(self, uid: str) -> None:
        """The pod has no address any more, if it had one."""
        known = self._known.pop(uid, None)
        if known is not None and known.limits.egress:
            self._spawn(self._release(known))

    async def ready(self, uid: str) -> None:
        """Returns when the pod's limits are in force. Raises CommandError when they cannot be."""
        known = self._known.get(uid)
        if known is None or known.work is None:
            return
        if _has_failed(known.work):
            self._set(known)
        await asyncio.shield(known.work)

    def _pod_changed(self, delta: Delta) -> None:
        if delta.old is None or delta.new is None or annotations_of(delta.old) == annotations_of(delta.new):
            return
        if uid_of(delta.new) in self._known:
            self._follow(delta.new)

    def _follow(self, pod: Obj) -> None:
        """Set what the annotations say now. A change for the worse leaves the limits as they were."""
        known = self._known[uid_of(pod)]
        try:
            limits = limits_of(pod)
        except ValueError as error:
            self._recorder.event(pod, "Warning", "InvalidBandwidth", str(error))
            return
        known.pod = pod
        if limits != known.limits:
            known.limits = limits
            self._set(known)

    def _set(self, known: _Shaped) -> None:
        known.work = self._spawn(self._shape(known, known.limits, known.work))

    async def _shape(self, known: _Shaped, limits: Limits, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await shape(self._config, known.address, limits)
        except (CommandError, OSError) as error:
            self._recorder.event(known.pod, "Warning", "BandwidthNotLimited", str(error))
            raise

    async def _release(self, known: _Shaped) -> None:
        if known.work is not None:
            await asyncio.wait([known.work])
        await release(self._config, known.address)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="bandwidth")
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("limits of bandwidth: %s", error)


def _has_failed(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
