"""Jobs: counts what there is (`tally`), decides (`verdict`, `plan`, `counting`), acts (`acting`), writes the status.

Source of the behaviour: Kubernetes `pkg/controller/job`. Caches that lag behind our writes are waited for, so that no
pod is made or counted twice: pods by what was created and deleted, the Job by its status.
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.job.acting import Done, JobPods
from skerry.engine.controllers.job.backoff import Backoff
from skerry.engine.controllers.job.counting import count_ended, settled
from skerry.engine.controllers.job.facts import (
    FINALIZER,
    finished,
    is_suspended,
    is_tracked,
    managed_elsewhere,
    restarts_of,
)
from skerry.engine.controllers.job.plan import plan
from skerry.engine.controllers.job.pod import build_pod
from skerry.engine.controllers.job.status import (
    RESUMED,
    SUSPENDED,
    begun,
    shaped,
    suspension_changed,
    with_counts,
    with_end,
    with_interim,
    with_suspension,
)
from skerry.engine.controllers.job.tally import Situation, Tally, tally
from skerry.engine.controllers.job.verdict import REACHED, Verdict, is_complete, seconds_to_deadline, verdict
from skerry.engine.controllers.owner_controller import OwnerController
from skerry.engine.controllers.ownership import Claimer, by_selector, index_controllers
from skerry.engine.controllers.pod_control import PodControl
from skerry.engine.controllers.pod_watch import PodWatch
from skerry.engine.controllers.pods import replica_relevant
from skerry.engine.controllers.writing import Written, namespace_is_ending, write_status
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, is_deleting, uid_of
from skerry.kube.resources import JOBS, PODS


class JobController(OwnerController):
    """Runs pods until enough have succeeded or too many have failed."""

    name = "job"

    def __init__(self, context: Context) -> None:
        super().__init__(context, JOBS)
        self._recorder = context.recorder.named("job-controller")
        cached_pods = context.informers.of(PODS)
        index_controllers(cached_pods)
        self._pods_written = self.waits_for(Written(cached_pods))
        self._jobs_written = self.waits_for(Written(self._owners))
        self._acting = JobPods(context.client, PodControl(context.client, self._recorder, self._pods_written))
        self._claimer = Claimer(context.client, JOBS, cached_pods, finalizer=FINALIZER)
        self._backoff: dict[str, Backoff] = {}
        self.watch(self._owners)
        cached_pods.add_handler(PodWatch(self._owners, by_selector, self.queue.add, job_relevant).handle)

    async def sync(self, key: str, owner: Obj) -> float | None:
        """One step, then the status."""
        if finished(owner) is not None:
            self.forget(key)
            return None
        if managed_elsewhere(owner):
            return None
        try:
            return await self._step(key, owner)
        except NotFound:
            return None  # the Job went meanwhile, or its namespace did: the cache will say so

    def forget(self, key: str) -> None:
        """Its back-off and what was decided about its pods, too."""
        super().forget(key)
        self._backoff.pop(key, None)
        self._acting.forget(key)

    async def _step(self, key: str, job: Obj) -> float | None:
        situation = self._situation(key, job, await self._claimer.claimed(job))
        counted = tally(situation)
        end = verdict(situation, counted)
        done = Done(len(counted.active), counted.ready, len(counted.terminating))
        status, wait = situation.job["status"], None
        if end is not None:
            await self._acting.end(key, job, counted.active, done)
            end = end if done.active == 0 else None  # what could not be deleted yet may still be running
        else:
            if not is_deleting(job):
                wait = await self._manage(key, situation, counted, done)
                status = with_suspension(job, status, situation.now)
            end = REACHED if is_complete(job, counted.succeeded, done.active) else None
        await self._track(key, situation, counted, end, with_counts(status, done.active, done.ready, done.terminating))
        if done.error is not None and not namespace_is_ending(done.error):
            raise done.error
        waits = (wait, seconds_to_deadline(situation) if end is None else None)
        return min((seconds for seconds in waits if seconds is not None), default=None)

    def _situation(self, key: str, job: Obj, pods: list[Obj]) -> Situation:
        """What is known; pods whose finalizer is gone have been counted."""
        now = self._clock.now()
        released = self._acting.released(key, pods)
        waiting = {uid_of(pod) for pod in pods if is_tracked(pod)} - released
        status = settled(begun(job, now), waiting)
        return Situation({**job, "status": status}, pods, released, self._backoff.get(key, Backoff()), now)

    async def _manage(self, key: str, situation: Situation, counted: Tally, done: Done) -> float | None:
        """Create and give up pods; returns seconds until the back-off is over."""
        job = situation.job
        decided = plan(situation, counted)
        if suspension_changed(job):
            reason, _, message = SUSPENDED if is_suspended(job) else RESUMED
            self._recorder.event(job, "Normal", reason, message)
        if decided.delete:
            await self._acting.give_up(key, job, decided.delete, done)
        elif decided.create:
            failed = counted.last_failed
            created = [build_pod(job, index, failed.get(-1 if index is None else index)) for index in decided.create]
            await self._acting.create(key, job, created, done)
        return decided.wait

    async def _track(self, key: str, situation: Situation, counted: Tally, end: Verdict | None, status: Obj) -> None:
        """Count pods that have ended, in steps that a crash between any two does not spoil."""
        ended = count_ended(situation, counted, end, status)
        status = with_interim(ended.status, end, situation.now) if end is not None else ended.status
        written = await self._write(key, situation.job, status)
        self._backoff[key] = counted.backoff
        freed, error = await self._acting.release(key, ended.release)
        waiting = {uid_of(pod) for pod in situation.pods if situation.awaits_counting(pod)} - freed
        status = settled(status, waiting)
        is_over = ended.all and not any(status["uncountedTerminatedPods"].values()) and not status["terminating"]
        if end is not None and is_over:
            over = await self._write(key, written, with_end(status, end, situation.now))
            self._tell_end(over, end)
        else:
            await self._write(key, written, status)
        if error is not None:
            raise error

    async def _write(self, key: str, job: Obj, status: Obj) -> Obj:
        written = await write_status(self._client, JOBS, job, shaped(status))
        self._jobs_written.note(key, written)
        return written

    def _tell_end(self, job: Obj, end: Verdict) -> None:
        if not end.success:
            self._recorder.event(job, "Warning", end.reason, end.message)
            return
        completions = job["spec"].get("completions")
        if completions is not None and int(job["status"].get("succeeded") or 0) > completions:
            what = "Too many succeeded pods running after completion count reached"
            self._recorder.event(job, "Warning", "TooManySucceededPods", what)
        self._recorder.event(job, "Normal", "Completed", "Job completed")


def job_relevant(pod: Obj) -> tuple[object, ...]:
    """What of a pod a Job looks at."""
    return (*replica_relevant(pod), is_tracked(pod), restarts_of(pod))
