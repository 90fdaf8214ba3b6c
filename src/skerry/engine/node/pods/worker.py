"""One pod's worker: a task that wakes when something about the pod changed, plans, acts, and tells the API.

What wakes it: the API object, runtime events, probes, hooks and kills that ended, and timers set by the plan; it never
polls. Neighbours: `plan` decides, `actions` does, `knowledge` remembers, `status` tells. Invariants: one step of one
pod at a time; while a start waits (for an image, a hook), the pod's end interrupts it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.cri.ends import CERTAIN
from skerry.engine.node.pods.actions import Actions
from skerry.engine.node.pods.cleanup import finish
from skerry.engine.node.pods.ending import Seen, deadline_at, termination
from skerry.engine.node.pods.knowledge import Knowledge
from skerry.engine.node.pods.observer import Found, Observer
from skerry.engine.node.pods.plan import plan
from skerry.engine.node.pods.resizing import in_progress, lives, pending
from skerry.engine.node.pods.room import Held, requests_of
from skerry.engine.node.pods.state import ContainerRecord, PodView, SandboxRecord, Termination
from skerry.engine.node.status.merge import matters, with_latest_status
from skerry.engine.node.status.pod_status import pod_status
from skerry.engine.node.volumes.manager import changes_with_pod, references_of
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, annotations_of, key_of, labels_of, namespace_of, uid_of

log = logging.getLogger(__name__)

_RETRY = 1.0  # seconds after an unexpected failure
_TOLD_AFTER = 0.2  # seconds
_EVICTION_GRACE = timedelta(seconds=1)


class PodWorker:
    """Created by `manager` for every pod of the node; `run` returns when the pod is gone and nothing of it is left."""

    def __init__(self, context: NodeContext, pod: Obj, claim: Callable[[str], None]) -> None:
        self.uid = uid_of(pod)
        self._context = context
        self._known = Knowledge(context, pod)
        self._observer = Observer(context.cri)
        self._actions = Actions(context, self._known, self.wake, claim)
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._refreshes: set[asyncio.Task[None]] = set()
        self._volumes_stale = False
        self._requests: Held | None = None
        self.wake()

    @property
    def pod(self) -> Obj:
        """The newest API object."""
        return self._known.pod

    @property
    def requests(self) -> Held:
        """What the pod holds of its node while `holds_room`."""
        if self._requests is None:
            self._requests = requests_of(self.pod)
        return self._requests

    @property
    def holds_room(self) -> bool:
        """Whether others have to do with what the pod leaves."""
        return not self._known.removed and lives(self.pod)

    # ---- what others tell

    def adopt(self, found: Found) -> None:
        """The runtime has this of the pod (asked for after a start)."""
        self._known.take(found)
        self._actions.adopted()
        self._volumes_stale = True
        self.wake()

    def update(self, pod: Obj) -> None:
        """The API object changed."""
        before, self._known.pod = self._known.pod, pod
        shown = (labels_of(before), annotations_of(before)) != (labels_of(pod), annotations_of(pod))
        if before["spec"] != pod["spec"]:
            self._requests = None
        if shown and changes_with_pod(pod):
            self._volumes_stale = True
        if matters(before, pod):
            self.wake()

    def removed(self) -> None:
        """The API has the pod no longer."""
        self._known.removed = True
        self.wake()

    @property
    def is_ending(self) -> bool:
        """Whether the pod has to end."""
        return self._known.termination is not None

    def end(self, reason: str, message: str) -> bool:
        """Have the pod fail, its containers killed after a second; False when it is ending already."""
        if self.is_ending:
            return False
        clock = self._context.config.clock
        deadline = clock.steady() + _EVICTION_GRACE
        self._known.termination = Termination(deadline, True, reason, message, since=clock.now())
        self.wake()
        return True

    def object_changed(self) -> None:
        """A ConfigMap or Secret that the pod shows or waits for changed."""
        self._volumes_stale = True
        self._actions.forget_config_waits()
        self.wake()

    def storage_changed(self) -> None:
        """A volume that could not be mounted may be ready now."""
        self._actions.storage_changed()
        self.wake()

    def room_changed(self) -> None:
        """Another pod may have left room for a resize that waits."""
        if self._known.resize_pending is not None:
            self.wake()

    async def recheck(self) -> None:
        """Events may have been missed: ask about everything that is thought to run. Raises CriError."""
        sandbox = self._known.sandbox
        if sandbox is not None and sandbox.ready:
            self._note_sandbox(sandbox.id, await self._observer.sandbox(sandbox.id))
        for record in self._known.running():
            self._actions.containers.note(record.id, await self._observer.container(record.id, record.sandbox_id))
        self._actions.containers.forget_start_waits()
        self.wake()

    def exited(self, runtime_id: str) -> None:
        """The runtime says that a process of the pod ended. What is being stopped is asked about by who stops it."""
        if runtime_id in self._known.killing or (self._actions.releasing and self._is_sandbox(runtime_id)):
            return
        task = asyncio.create_task(self._refresh(runtime_id), name=f"exit in {key_of(self.pod)}")
        self._refreshes.add(task)
        task.add_done_callback(self._refreshes.discard)

    def wake(self) -> None:
        """Look at the pod again, soon."""
        self._note_termination()
        self._wake.set()

    # ---- the loop

    async def run(self) -> None:
        """Until the pod is over; cancel to stop looking after it, its containers go on."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if await self._step_safely():
                    return
        finally:
            for timer in (self._timer, self._later):
                if timer is not None:
                    timer.cancel()
            await self._actions.close()
            for task in self._refreshes:
                task.cancel()

    async def _step_safely(self) -> bool:
        try:
            return await self._step()
        except (CriError, StatusError, OSError) as error:
            log.warning("pod %s: %s", key_of(self.pod), error)
        except Exception:
            log.exception("pod %s: unexpected failure", key_of(self.pod))
        self._wake_in(_RETRY)
        return False

    async def _step(self) -> bool:
        """Plan and act until there is nothing to do now; True when the pod is gone."""
        while True:
            await self._refresh_volumes()
            view = self._view()
            decided = plan(view)
            if decided.actions:
                self._publish_soon()
            else:
                self._publish(view)
                if self._is_over(view):
                    return await finish(self._context, self._known)
                self._appoint(view, decided.again_at)
                return False
            for action in decided.actions:
                if not await self._actions.do(action):
                    break
                if self._known.termination != view.termination:
                    break

    def _view(self) -> PodView:
        self._note_termination()
        self._known.resize_pending = self._resize_pending()
        self._known.pod = with_latest_status(self._known.pod, self._context.statuses.last(self.uid))
        return self._known.view()

    def _resize_pending(self) -> tuple[str, str] | None:
        if not in_progress(self._known.view()):
            return None
        node = self._context.node
        on_node = [pod for pod in self._context.pods.list() if pod["spec"].get("nodeName") == node.name]
        return pending(self._known.pod, on_node, node.allocatable)

    def _note_termination(self) -> None:
        known = self._known
        clock = self._context.config.clock
        seen = Seen(known.pod, clock.now(), clock.steady(), known.begun(), known.removed, known.termination)
        known.termination = termination(seen)
        if known.termination is not None:
            self._actions.ending.set()

    def _publish_soon(self) -> None:
        """While something is being done: quick steps need no status of their own, slow ones must be told."""
        if self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(_TOLD_AFTER, lambda: self._publish(self._view()))

    def _publish(self, view: PodView) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if not self._known.removed:
            self._context.statuses.set(view.pod, pod_status(view, self._context.node.ips))

    def _is_over(self, view: PodView) -> bool:
        """Deleted, and nothing runs or is held any more."""
        deleted = self._known.removed or view.pod["metadata"].get("deletionTimestamp")
        return bool(deleted) and not view.running

    def _appoint(self, view: PodView, again_at: datetime | None) -> None:
        due = deadline_at(view.pod, self._known.begun()) if view.termination is None else None
        shown = self._known.volumes is not None and view.termination is None
        renewal = self._context.volumes.renewal(self.uid) if shown else None
        waits = [moment - view.steady for moment in (again_at, due) if moment is not None]
        waits += [renewal - view.now] if renewal is not None else []
        if waits:
            self._wake_in(max(0.01, min(waits).total_seconds() + 0.01))

    def _wake_in(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.wake)

    # ---- keeping what is known current

    async def _refresh_volumes(self) -> None:
        known = self._known
        renewal = self._context.volumes.renewal(self.uid)
        due = renewal is not None and renewal <= self._context.config.clock.now()
        has_volumes = known.volumes is not None or (known.sandbox is not None and known.sandbox.ready)
        if (self._volumes_stale or due) and has_volumes and known.termination is None:
            self._volumes_stale = False
            await self._actions.refresh_volumes()

    async def _refresh(self, runtime_id: str) -> None:
        """Ask about the process that ended: a container's, or the sandbox's own."""
        try:
            if self._is_sandbox(runtime_id):
                self._note_sandbox(runtime_id, await self._observer.ended_sandbox(runtime_id))
            else:
                await self._actions.containers.settle(runtime_id, CERTAIN)
        except CriError as error:
            log.warning("pod %s: %s", key_of(self.pod), error)
            return  # containerd went away; everything is asked again when it is back
        self.wake()

    def _is_sandbox(self, runtime_id: str) -> bool:
        return self._known.sandbox is not None and runtime_id == self._known.sandbox.id

    def _note_sandbox(self, sandbox_id: str, record: SandboxRecord | None) -> None:
        if self._known.sandbox and self._known.sandbox.id == sandbox_id:
            self._known.sandbox = record or replace(self._known.sandbox, ready=False)

    def shows(self, namespace: str, kind: str, name: str) -> bool:
        """Whether the pod's volumes or waiting containers refer to a ConfigMap or Secret; without a name, to any."""
        if namespace and namespace_of(self.pod) != namespace:
            return False
        shown = references_of(self.pod)
        return ((kind, name) in shown if name else bool(shown)) or self._actions.waits_for_config()

    def running(self) -> list[ContainerRecord]:
        """Containers whose process lives."""
        return self._known.running()
