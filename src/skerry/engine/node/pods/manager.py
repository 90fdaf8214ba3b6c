"""All pods of the node: a worker for each, fed with API changes and runtime events, and the orphans of earlier engines.

Neighbours: the informer of pods above, `worker` below. Invariants: one worker per pod uid; a pod whose uid is not in
the API (once the informer is synced) is stopped and removed from the machine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.pods.admission import Refusal
from skerry.engine.node.pods.cleanup import leftover_uids, stop_orphan
from skerry.engine.node.pods.observer import Found, Observer
from skerry.engine.node.pods.resizing import frees_room
from skerry.engine.node.pods.room import no_free_ports, no_room
from skerry.engine.node.pods.starter import log_file
from skerry.engine.node.pods.state import EVICTED, ContainerRecord
from skerry.engine.node.pods.worker import PodWorker
from skerry.engine.node.pressure.watch import is_critical, refusal
from skerry.engine.node.spec.environment import Reference
from skerry.kube.host_ports import host_ports
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, key_of, uid_of

log = logging.getLogger(__name__)

_FIRST_RETRY, _LAST_RETRY = 1.0, 60.0  # seconds between attempts to remove an orphan


class PodManager:
    """Call `sync` once the informer of pods is synced and the runtime answers."""

    def __init__(self, context: NodeContext, pods: Informer) -> None:
        self._context = context
        self._pods = pods
        self._observer = Observer(context.cri)
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._owners: dict[str, str] = {}
        self._orphans: set[asyncio.Task[None]] = set()
        self.started = asyncio.Event()

    async def sync(self) -> None:
        """Find out what happened while no events came. The first time: adopt what runs, begin with what does not,
        remove what should not be. Raises CriError."""
        if self.started.is_set():
            await asyncio.gather(*(worker.recheck() for worker in list(self._workers.values())))
            return
        found = await self._observer.everything()
        for pod in self._pods.list():
            self._take(pod, found.get(uid_of(pod)))
        self._pods.add_handler(self._changed)
        for uid in set(found) | leftover_uids(self._context):
            if uid not in self._workers:
                self._remove_orphan(uid)
        self.started.set()

    async def close(self) -> None:
        """Stop looking after pods; they go on running."""
        if self.started.is_set():
            self._pods.remove_handler(self._changed)
        tasks = [*self._tasks.values(), *self._orphans]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def exited(self, runtime_id: str) -> None:
        """A process of a container or sandbox ended."""
        worker = self._workers.get(self._owners.get(runtime_id, ""))
        if worker is not None:
            worker.exited(runtime_id)

    def object_changed(self, namespace: str, reference: Reference | None) -> None:
        """A ConfigMap or Secret changed; None: any may have."""
        kind, name = reference or ("", "")
        for worker in self._workers.values():
            if worker.shows(namespace, kind, name):
                worker.object_changed()

    def storage_changed(self, uid: str) -> None:
        """A volume of a pod that could not be mounted may be ready now."""
        worker = self._workers.get(uid)
        if worker is not None:
            worker.storage_changed()

    def look_again(self) -> None:
        """Have every pod looked at: the clock was set."""
        for worker in self._workers.values():
            worker.wake()

    def running_logs(self) -> Iterator[tuple[str, Path]]:
        """(container id, log file) of everything that runs."""
        for worker in list(self._workers.values()):
            for record in worker.running():
                yield record.id, log_file(self._context, worker.pod, record.name, record.attempt)

    def running_pods(self) -> Iterator[tuple[Obj, list[ContainerRecord]]]:
        """Pods that are not ending, with their running containers."""
        for worker in list(self._workers.values()):
            if not worker.is_ending:
                yield worker.pod, worker.running()

    def evict(self, pod: Obj, message: str) -> None:
        """End a pod for want of something; the message says of what."""
        worker = self._workers.get(uid_of(pod))
        if worker is not None and worker.end(EVICTED, message):
            self._context.recorder.event(pod, "Warning", EVICTED, message)

    # ---- the API

    def _changed(self, delta: Delta) -> None:
        if delta.new is not None:
            self._take(delta.new)
        elif (worker := self._workers.get(uid_of(delta.object))) is not None:
            worker.removed()
        if delta.old is not None and frees_room(delta.old, delta.new):
            for other in self._workers.values():
                other.room_changed()

    def _take(self, pod: Obj, found: Found | None = None) -> None:
        """A pod as the API has it now."""
        if pod["spec"].get("nodeName") != self._context.config.node_name:
            return
        uid = uid_of(pod)
        worker = self._workers.get(uid)
        if worker is not None:
            worker.update(pod)
            return
        worker = self._workers[uid] = PodWorker(self._context, pod, partial(self._claim, uid))
        if found is not None:
            self._adopt(worker, found)
        elif not (pod.get("status") or {}).get("startTime"):
            self._admit(worker)
        self._tasks[uid] = asyncio.create_task(self._run(worker), name=f"pod {key_of(pod)}")

    def _admit(self, worker: PodWorker) -> None:
        refused = self._under_pressure(worker) or self._without_room(worker) or self._without_ports(worker)
        if refused is not None:
            reason, why = refused
            worker.end(reason, f"Pod was rejected: {why}")
            self._context.recorder.event(worker.pod, "Warning", reason, why)

    def _under_pressure(self, worker: PodWorker) -> Refusal | None:
        why = refusal(worker.pod, self._context.pressure.held)
        return (EVICTED, why) if why else None

    def _without_room(self, worker: PodWorker) -> Refusal | None:
        """Critical pods are taken in any case: others have to go when that is too much."""
        if is_critical(worker.pod):
            return None
        others = [other.requests for other in self._beside(worker)]
        return no_room(worker.requests, others, self._context.node.allocatable)

    def _without_ports(self, worker: PodWorker) -> Refusal | None:
        return no_free_ports(host_ports(worker.pod), (other.pod for other in self._beside(worker)))

    def _beside(self, worker: PodWorker) -> Iterator[PodWorker]:
        """Other pods that have to be reckoned with."""
        return (other for other in self._workers.values() if other is not worker and other.holds_room)

    def _adopt(self, worker: PodWorker, found: Found) -> None:
        for runtime_id in found.runtime_ids():
            self._claim(worker.uid, runtime_id)
        worker.adopt(found)

    def _claim(self, uid: str, runtime_id: str) -> None:
        self._owners[runtime_id] = uid

    async def _run(self, worker: PodWorker) -> None:
        await worker.run()
        self._workers.pop(worker.uid, None)
        self._tasks.pop(worker.uid, None)
        for runtime_id in [key for key, uid in self._owners.items() if uid == worker.uid]:
            del self._owners[runtime_id]

    # ---- orphans

    def _remove_orphan(self, uid: str) -> None:
        log.info("pod %s is not in the API: removing what is left of it", uid)
        task = asyncio.create_task(self._stop_orphan(uid), name=f"orphan {uid}")
        self._orphans.add(task)
        task.add_done_callback(self._orphans.discard)

    async def _stop_orphan(self, uid: str) -> None:
        """Until nothing is left of it: a runtime that dies meanwhile comes back, and nobody else would ask it again."""
        delay = _FIRST_RETRY
        while True:
            try:
                return await stop_orphan(self._context, uid)
            except (CriError, OSError) as error:
                log.warning("orphaned pod %s not removed, trying again: %s", uid, error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LAST_RETRY)
