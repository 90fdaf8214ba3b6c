"""What is done with one pod's containers: start, stop, take note of their ends, probe, prune.

Neighbours: `starter` and `killer` talk to the runtime; `Knowledge` is where results go. Every failure a user should
know of becomes a `Wait` with its reason and an event. Raises CriError when the runtime cannot be asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from skerry.engine.node.backoff import go_duration
from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.cri.ends import PATIENCE
from skerry.engine.node.errors import ConfigError, CreateError, HookError, ImageError, PodProblem, RunError
from skerry.engine.node.hooks import HookTarget, run_hook
from skerry.engine.node.log_rotation import remove_logs
from skerry.engine.node.pods.ending import own_grace
from skerry.engine.node.pods.interrupt import Interrupted, unless
from skerry.engine.node.pods.killer import KillJob, kill
from skerry.engine.node.pods.knowledge import Knowledge
from skerry.engine.node.pods.last_words import MessageSource, with_last_words
from skerry.engine.node.pods.observer import Observer
from skerry.engine.node.pods.plan import Kill, Start
from skerry.engine.node.pods.restarts import will_restart
from skerry.engine.node.pods.starter import Starter, StartJob, field_path, log_file, message_file, pod_ips
from skerry.engine.node.pods.state import ContainerRecord, ProbeState, Wait, spec_hash
from skerry.engine.node.probes.prober import Probed
from skerry.kube.clock import in_steady
from skerry.kube.events import EventType
from skerry.kube.objects import Obj, key_of, name_of, namespace_of, uid_of

log = logging.getLogger(__name__)

_CONFIG_RETRY, _RUN_SHOWN = timedelta(seconds=10), timedelta(seconds=2)
_KILL_RETRY = 1.0  # seconds after the runtime refused to stop a container
_KEPT_ATTEMPTS = 2


class Containers:
    """One pod's containers. `ending` is set when the pod has to end; `wake` has the worker look again."""

    def __init__(
        self, context: NodeContext, known: Knowledge, wake: Callable[[], None], claim: Callable[[str], None]
    ) -> None:
        self.ending = asyncio.Event()
        self._context = context
        self._known = known
        self._wake = wake
        self._claim = claim
        self._starter = Starter(context)
        self._observer = Observer(context.cri)
        self._kills: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop waiting for kills; containerd carries on with those it was asked for."""
        for task in self._kills:
            task.cancel()
        await asyncio.gather(*self._kills, return_exceptions=True)
        for record in self._known.running():
            self._context.prober.remove(record.id)

    # ---- starting

    async def start(self, action: Start) -> bool:
        """One attempt at a container; False when it failed or the pod has to end."""
        known, container = self._known, self._known.container_spec(action.name)
        assert known.sandbox is not None
        assert known.volumes is not None
        self._count_restart(container)
        known.waits.pop(action.name, None)
        claimed: list[str] = []
        claim = partial(self._claimed, claimed, action.discard)
        try:
            target = self._target(container)
            job = StartJob(known.pod, container, action, known.sandbox, known.volumes, claim, self.ending, target)
            container_id = await self._starter.start(job)
        except Interrupted:
            return False
        except PodProblem as problem:
            await self._failed(container, problem, claimed)
            return False
        record = await self._observer.container(container_id, known.sandbox.id)
        if record is not None:
            self.note(container_id, record)  # it may have ended already
            known.applied[record.id] = container.get("resources") or {}
            await self._after_start(container, record)
        await self._prune(action.name)
        return True

    def _target(self, container: Obj) -> str:
        """The running container that `targetContainerName` means, "" for none. Raises ConfigError."""
        name = container.get("targetContainerName") or ""
        record = self._known.view().latest(name)
        if name and (record is None or not record.running):
            raise ConfigError(f"failed to find target container {name!r}: it does not run")
        return record.id if record else ""

    def _claimed(self, claimed: list[str], discarded: str, container_id: str) -> None:
        """There is a container; the one that it takes the place of is no more."""
        if (before := self._known.by_id(discarded)) is not None:
            self._known.drop(before)
        claimed.append(container_id)
        self._claim(container_id)

    def _count_restart(self, container: Obj) -> None:
        record = self._known.view().latest(container["name"])
        if record is not None and record.exited:
            self._context.crashes.next(self._key(container), self._context.config.clock.steady())

    async def _failed(self, container: Obj, problem: PodProblem, claimed: list[str]) -> None:
        """Note why a container did not start and when to try again."""
        name, now = container["name"], self._context.config.clock.steady()
        until = problem.retry_at or now + _CONFIG_RETRY
        if isinstance(problem, RunError):
            for container_id in claimed:
                await self.settle(container_id)
            crash = self._known.waits.get(name)
            until = max(crash.until if crash and crash.until else now, now + _RUN_SHOWN)
        if not isinstance(problem, ImageError):
            self._event(container, "Warning", "Failed", f"Error: {problem.message}")
        self._known.waits[name] = Wait(problem.reason, problem.message, until)

    async def _after_start(self, container: Obj, record: ContainerRecord) -> None:
        hook = (container.get("lifecycle") or {}).get("postStart")
        if hook and record.running:
            await self._post_start(container, record, hook)
        self.probe(record)

    async def _post_start(self, container: Obj, record: ContainerRecord, hook: Obj) -> None:
        known = self._known
        known.hooking.add(record.id)
        try:
            target = HookTarget(container, record.id, self._ip())
            await unless(self.ending, run_hook(self._context.cri, target, hook))
        except Interrupted:
            log.debug("container %s ends before its postStart hook", record.id)
        except HookError as error:
            self._event(container, "Warning", "FailedPostStartHook", f"PostStartHook failed: {error.message}")
            self.kill(Kill(record, "FailedPostStartHook"))
        finally:
            known.hooking.discard(record.id)

    def probe(self, record: ContainerRecord, before: ProbeState | None = None) -> None:
        """Begin probing a running container; `before` is what an earlier engine knew."""
        current = self._known.by_id(record.id)
        if current is None or not current.running or record.id in self._known.killing:
            return
        container = self._known.container_spec(record.name)
        self._context.prober.add(
            Probed(
                pod=self._known.pod,
                target=HookTarget(container, record.id, self._ip()),
                field_path=field_path(self._known.pod, container),
                started=self._steady(record.started),
                changed=self._wake,
                known=before,
            )
        )

    # ---- stopping

    def kill(self, action: Kill) -> None:
        """Begin to stop a container, or bring the deadline of a stop under way forward."""
        known, record = self._known, action.record
        grace = own_grace(known.pod) if action.grace is None else action.grace
        deadline = action.deadline or self._context.config.clock.steady() + timedelta(seconds=grace)
        again = record.id in known.killing
        known.killing[record.id] = deadline
        container = known.container_spec(record.name)
        job = KillJob(known.pod, container, record, self._ip(), deadline, action.message, again)
        task = asyncio.create_task(self._kill(job), name=f"stop {record.name} of {key_of(known.pod)}")
        self._kills.add(task)
        task.add_done_callback(self._kills.discard)

    async def _kill(self, job: KillJob) -> None:
        try:
            await kill(self._context, job)
            await self.settle(job.record.id)
        except CriError as error:
            log.warning("pod %s: container %s not stopped: %s", key_of(job.pod), job.record.name, error)
            await asyncio.sleep(_KILL_RETRY)
        finally:
            self._known.killing.pop(job.record.id, None)
            self._wake()

    # ---- ends

    async def settle(self, container_id: str, patience: float = PATIENCE) -> None:
        """Wait for a container's end to be visible, so many seconds, and take note of what is. Raises CriError."""
        known = self._known
        before = known.by_id(container_id)
        sandbox_id = before.sandbox_id if before else known.sandbox.id if known.sandbox else ""
        self.note(container_id, await self._observer.exited(container_id, sandbox_id, patience))

    def note(self, container_id: str, record: ContainerRecord | None) -> None:
        """Take the runtime's answer about a container; None when it has none of that id."""
        known = self._known
        before = known.by_id(container_id)
        if record is None:
            if before is not None:
                self._context.prober.remove(container_id)
                known.drop(before)
        elif known.put(self.with_message(record) if record.exited else record) and record.exited:
            self._context.prober.remove(container_id)
            self._back_off(known.container_spec(record.name), record)

    def with_message(self, record: ContainerRecord) -> ContainerRecord:
        """An exited container with its last words."""
        context, pod = self._context, self._known.pod
        container = self._known.container_spec(record.name)
        source = MessageSource(
            file=message_file(context, uid_of(pod), record.name, record.attempt),
            log=log_file(context, pod, record.name, record.attempt),
            from_log=container.get("terminationMessagePolicy") == "FallbackToLogsOnError",
        )
        return with_last_words(record, source)

    def _back_off(self, container: Obj, record: ContainerRecord) -> None:
        """Decide when a container that ended may be started again, and say so when that is not now."""
        pod, now, key = self._known.pod, self._context.config.clock.steady(), self._key(container)
        until = self._context.crashes.until(key, self._steady(record.finished))
        if until is None or until <= now or not will_restart(pod, container, record) or self.ending.is_set():
            return
        name, delay = container["name"], go_duration(self._context.crashes.delay(key))
        where = f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"
        message = f"back-off {delay} restarting failed container={name} pod={where}"
        self._known.waits[name] = Wait("CrashLoopBackOff", message, until)
        self._event(container, "Warning", "BackOff", f"Back-off restarting failed container {name} in pod {where}")

    async def _prune(self, name: str) -> None:
        """Remove attempts that are neither the present nor the previous one."""
        for record in self._known.containers.get(name, ())[_KEPT_ATTEMPTS:]:
            with contextlib.suppress(CriError):
                await self._context.cri.remove_container(record.id)
                self._known.drop(record)
                remove_logs(log_file(self._context, self._known.pod, name, record.attempt))

    # ---- small things

    def forget_start_waits(self) -> None:
        """What kept containers from starting may be over: a missing object is there, a dead sandbox is replaced."""
        reasons = (ConfigError.reason, CreateError.reason, RunError.reason)
        for name, wait in list(self._known.waits.items()):
            if wait.reason in reasons:
                del self._known.waits[name]

    def _key(self, container: Obj) -> str:
        return f"{uid_of(self._known.pod)}/{container['name']}/{spec_hash(container)}"

    def _steady(self, noted: datetime | None) -> datetime:
        """A time from the runtime, which knows the wall clock only."""
        clock = self._context.config.clock
        return clock.steady() if noted is None else in_steady(clock, noted)

    def _ip(self) -> str:
        sandbox = self._known.sandbox
        ips = pod_ips(self._known.pod, sandbox, self._context.node.ips) if sandbox else ()
        return ips[0] if ips else "127.0.0.1"

    def _event(self, container: Obj, kind: EventType, reason: str, message: str) -> None:
        pod = self._known.pod
        self._context.recorder.event(pod, kind, reason, message, field_path(pod, container))
