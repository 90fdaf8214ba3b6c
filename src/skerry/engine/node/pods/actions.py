"""Carries out what `plan` decided for one pod, and notes in its `Knowledge` what came of it.

Neighbours: `containers` for everything about single containers. Failures of volumes and sandboxes become the pod's
`pod_wait`, with an event and growing delays.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from skerry.engine.node.backoff import BackOff
from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.errors import ConfigError, PodProblem, VolumeError
from skerry.engine.node.pods.containers import Containers
from skerry.engine.node.pods.forgotten import ending_in_earnest
from skerry.engine.node.pods.interrupt import Interrupted, unless
from skerry.engine.node.pods.knowledge import Knowledge
from skerry.engine.node.pods.observer import Observer
from skerry.engine.node.pods.plan import (
    Action,
    DropSandbox,
    Kill,
    MakeSandbox,
    MountVolumes,
    Release,
    Resize,
    ResizePod,
    Start,
)
from skerry.engine.node.pods.resizer import Resizer
from skerry.engine.node.pods.starter import Starter, pod_ips
from skerry.engine.node.pods.state import ProbeState, Wait, reported_statuses
from skerry.engine.node.spec.downward import PodFacts
from skerry.engine.node.volumes.manager import references_of
from skerry.kube.objects import uid_of

_FIRST, _LONGEST = timedelta(seconds=0.5), timedelta(seconds=122)  # between attempts at volumes and sandboxes


class Actions:
    """One pod's. `do` returns whether the action succeeded, so that the rest of a plan makes sense."""

    def __init__(
        self, context: NodeContext, known: Knowledge, wake: Callable[[], None], claim: Callable[[str], None]
    ) -> None:
        self.containers = Containers(context, known, wake, claim)
        self._context = context
        self._known = known
        self._claim = claim
        self._resizer = Resizer(context, known)
        self._starter = Starter(context)
        self._observer = Observer(context.cri)
        self._failures = BackOff(_FIRST, _LONGEST)
        self._storage_news = 0
        self.releasing = False
        """Whether the sandbox is being stopped by us."""

    @property
    def ending(self) -> asyncio.Event:
        """Set when the pod has to end."""
        return self.containers.ending

    async def do(self, action: Action) -> bool:
        """Raises CriError when the runtime cannot be asked."""
        match action:
            case MountVolumes():
                return await self._mount_volumes()
            case MakeSandbox():
                return await self._make_sandbox(action.attempt)
            case DropSandbox():
                return await self._drop_sandbox(action.sandbox_id)
            case Start():
                return (self._known.volumes is not None or await self._mount_volumes()) and (
                    await self.containers.start(action)
                )
            case Kill():
                self.containers.kill(action)
                return True
            case Resize():
                return await self._resizer.resize(action.record)
            case ResizePod():
                return await self._resizer.resize_pod()
            case Release():
                return await self._release()

    def adopted(self) -> None:
        """Containers of an earlier engine were found: their last words, their probes."""
        known = self._known
        for name, attempts in known.containers.items():
            settled = (self.containers.with_message(record) if record.exited else record for record in attempts)
            known.containers[name] = tuple(settled)
        reported = {status["name"]: status for status in reported_statuses(known.pod)}
        for record in known.running():
            status = reported.get(record.name, {})
            before = None
            if status.get("containerID", "").endswith(record.id):
                before = ProbeState(started=bool(status.get("started")), ready=bool(status.get("ready")))
            self.containers.probe(record, before)
            spec = known.container_spec(record.name)
            known.applied[record.id] = status.get("resources") or spec.get("resources") or {}
        whole = (known.pod.get("status") or {}).get("resources") or known.pod["spec"].get("resources")
        known.pod_applied = whole or {}
        self._attached()
        self.containers.forget_start_waits()

    # ---- volumes

    async def _mount_volumes(self) -> bool:
        known, pod = self._known, self._known.pod
        self._context.object_watch.need(references_of(pod))
        news = self._storage_news
        try:
            known.volumes = await unless(self.ending, self._context.volumes.set_up(self._facts()))
        except Interrupted:
            return False
        except VolumeError as error:
            self._pod_failed("FailedMount", error.message)
            if self._storage_news != news:  # it came while the attempt failed for want of it
                known.pod_wait = None
            return False
        known.pod_wait = None
        return True

    async def refresh_volumes(self) -> None:
        """Bring files from the API up to date; what cannot be had now stays as it was. Volumes that an earlier engine
        made are taken over first."""
        known = self._known
        try:
            if known.volumes is None:
                self._context.object_watch.need(references_of(known.pod))
                known.volumes = await self._context.volumes.set_up(self._facts())
            else:
                await self._context.volumes.refresh(self._facts())
        except VolumeError as error:
            self._context.recorder.event(known.pod, "Warning", "FailedMount", error.message)

    def storage_changed(self) -> None:
        """Try at once what waited for a volume."""
        self._storage_news += 1
        self._known.pod_wait = None

    def waits_for_config(self) -> bool:
        """Whether something waits for a ConfigMap, a Secret or a volume."""
        waiting = any(wait.reason == ConfigError.reason for wait in self._known.waits.values())
        return waiting or self._known.pod_wait is not None

    def forget_config_waits(self) -> None:
        """Try at once what waited for a ConfigMap or Secret."""
        self._known.pod_wait = None
        self.containers.forget_start_waits()

    def _facts(self) -> PodFacts:
        known, node = self._known, self._context.node
        ips = pod_ips(known.pod, known.sandbox, node.ips) if known.sandbox else ()
        return PodFacts(known.pod, node, ips)

    # ---- the sandbox

    async def _make_sandbox(self, attempt: int) -> bool:
        known = self._known
        try:
            sandbox_id = await self._starter.make_sandbox(known.pod, attempt)
        except (CriError, PodProblem) as error:
            await self._discard_failed()
            self._pod_failed("FailedCreatePodSandBox", f"Failed to create pod sandbox: {error.message}")
            return False
        self._claim(sandbox_id)
        known.sandbox = await self._observer.sandbox(sandbox_id)
        self._attached()
        known.pod_applied = known.pod["spec"].get("resources") or {}
        known.pod_wait = None
        self._failures.forget(uid_of(known.pod))
        self.containers.forget_start_waits()
        return True

    def _attached(self) -> None:
        """A pod in the machine's network has no address of its own to be guarded."""
        known = self._known
        ips = known.sandbox.ips if known.sandbox is not None and known.sandbox.ready else ()
        if ips and not known.pod["spec"].get("hostNetwork"):
            self._context.network.attached(known.pod, ips)

    async def _discard_failed(self) -> None:
        """A sandbox half made keeps its name: remove it, so that the next attempt can have it."""
        with contextlib.suppress(CriError):
            for sandbox_id in (await self._observer.pod(uid_of(self._known.pod))).sandbox_ids:
                if self._known.sandbox is None or sandbox_id != self._known.sandbox.id:
                    await self._context.cri.stop_pod_sandbox(sandbox_id)
                    await self._context.cri.remove_pod_sandbox(sandbox_id)

    async def _drop_sandbox(self, sandbox_id: str) -> bool:
        known = self._known
        if known.running():
            message = "Pod sandbox changed, it will be killed and re-created."
            self._context.recorder.event(known.pod, "Normal", "SandboxChanged", message)
        self._context.network.detached(uid_of(known.pod))
        await self._stop_sandbox(sandbox_id)
        for record in known.running():
            await self.containers.settle(record.id)
        return True

    async def _stop_sandbox(self, sandbox_id: str) -> None:
        async with ending_in_earnest(self._context, sandbox_id):
            await self._context.cri.stop_pod_sandbox(sandbox_id)

    async def _release(self) -> bool:
        known = self._known
        if known.sandbox is not None and known.sandbox.ready:
            self.releasing = True
            self._context.network.detached(uid_of(known.pod))
            try:
                async with self._context.slots.stops:
                    await self._stop_sandbox(known.sandbox.id)
            finally:
                self.releasing = False
            known.sandbox = replace(known.sandbox, ready=False)
        await self._context.volumes.tear_down(uid_of(known.pod))
        known.volumes, known.let_go = None, True
        return True

    def _pod_failed(self, reason: str, message: str) -> None:
        uid, now = uid_of(self._known.pod), self._context.config.clock.steady()
        self._failures.next(uid, now)
        self._known.pod_wait = Wait(reason, message, now + self._failures.delay(uid))
        self._context.recorder.event(self._known.pod, "Warning", reason, message)

    async def close(self) -> None:
        """Stop waiting for anything."""
        await self.containers.close()
