"""CronJobs: carries out what `plan` says, keeps `status.active`, forgets old Jobs.

Source of the behaviour: Kubernetes `pkg/controller/cronjob`. `reconcile` asks to be called at the next start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.cronjob.plan import (
    Plan,
    Told,
    build_job,
    job_name,
    jobs_of,
    observed,
    plan,
    reference_to,
    shaped,
    superfluous,
    wait_after_change,
)
from skerry.engine.controllers.owner_controller import OwnerController
from skerry.engine.controllers.ownership import controlled_by, index_controllers
from skerry.engine.controllers.writing import Written, namespace_is_ending, write_status
from skerry.kube.clock import rfc3339
from skerry.kube.errors import AlreadyExists, NotFound, StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, namespace_of, uid_of
from skerry.kube.resources import CRON_JOBS, JOBS

_LONGEST_WAIT = 600.0  # seconds; timers stand still while a machine sleeps, and know nothing of clocks put forward
_BACKGROUND = {"propagationPolicy": "Background"}
_WHEN = ("schedule", "timeZone")


class CronJobController(OwnerController):
    """Starts Jobs when their time has come."""

    name = "cronjob"

    def __init__(self, context: Context) -> None:
        super().__init__(context, CRON_JOBS)
        self._recorder = context.recorder.named("cronjob-controller")
        self._jobs = context.informers.of(JOBS)
        index_controllers(self._jobs)
        self._written = self.waits_for(Written(self._owners))
        self._jobs_written = self.waits_for(Written(self._jobs))
        self._owners.add_handler(self._changed)
        self.watch_owned(self._jobs, CRON_JOBS)

    async def sync(self, key: str, owner: Obj) -> float | None:
        """Look at the Jobs and at the clock."""
        jobs = jobs_of(owner, controlled_by(self._jobs, uid_of(owner)))
        status, told = observed(owner, jobs, await self._gone(owner, jobs))
        self._tell(owner, told)
        seen = {**owner, "status": status}
        decided = Plan() if is_deleting(owner) else plan(seen, self._clock.now())
        self._tell(owner, decided.events)
        error = None
        if decided.start is not None:
            status, error = await self._start(key, seen, decided)
        for job in superfluous(owner, jobs):
            await self._delete(key, owner, job)
        written = await write_status(self._client, CRON_JOBS, owner, status)
        self._written.note(key, written)
        if error is not None and not namespace_is_ending(error):
            raise error
        return min(decided.wait, _LONGEST_WAIT) if decided.wait is not None else None

    async def _gone(self, cron_job: Obj, jobs: Sequence[Obj]) -> list[str]:
        """Active Jobs that are not there, which the API is asked about."""
        known = {uid_of(job) for job in jobs}
        gone = []
        for reference in (cron_job.get("status") or {}).get("active") or ():
            if reference["uid"] not in known and not await self._exists(reference):
                gone.append(reference["uid"])
        return gone

    async def _exists(self, reference: Obj) -> bool:
        try:
            job = await self._client.get(JOBS, reference["name"], reference["namespace"])
        except NotFound:
            return False
        return uid_of(job) == str(reference["uid"])

    async def _start(self, key: str, cron_job: Obj, decided: Plan) -> tuple[Obj, StatusError | None]:
        """Replace what is in the way, create the Job; returns the status with it and the failure."""
        assert decided.start is not None
        status = dict(cron_job.get("status") or {})
        for reference in decided.replace:
            error = await self._replace(key, cron_job, reference)
            if error is not None:
                return status, error
            left = [one for one in status.get("active") or () if one["uid"] != reference["uid"]]
            status = shaped({**status, "active": left})
        try:
            job = await self._create(key, cron_job, build_job(cron_job, decided.start))
        except AlreadyExists:
            job = await self._client.get(JOBS, job_name(cron_job, decided.start), namespace_of(cron_job))
            if not jobs_of(cron_job, [job]):
                return status, None  # somebody else's of that name
        except StatusError as error:
            if not namespace_is_ending(error):
                self._recorder.event(cron_job, "Warning", "FailedCreate", f"Error creating job: {error}")
            return status, error
        active = [one for one in status.get("active") or () if one["uid"] != uid_of(job)]
        return {**status, "active": [*active, reference_to(job)], "lastScheduleTime": rfc3339(decided.start)}, None

    async def _create(self, key: str, cron_job: Obj, job: Obj) -> Obj:
        created = await self._client.create(JOBS, job, namespace_of(cron_job))
        self._jobs_written.note(key, created)
        self._recorder.event(cron_job, "Normal", "SuccessfulCreate", f"Created job {name_of(created)}")
        return created

    async def _replace(self, key: str, cron_job: Obj, reference: Obj) -> StatusError | None:
        try:
            job = await self._client.get(JOBS, reference["name"], namespace_of(cron_job))
        except NotFound:
            return None
        except StatusError as error:
            self._recorder.event(cron_job, "Warning", "FailedGet", f"Get job: {error}")
            return error
        return await self._delete(key, cron_job, job)

    async def _delete(self, key: str, cron_job: Obj, job: Obj) -> StatusError | None:
        options = {**_BACKGROUND, "preconditions": {"uid": uid_of(job)}}
        try:
            deleted = await self._client.delete(JOBS, name_of(job), namespace_of(job), options)
        except NotFound:
            return None
        except StatusError as error:
            self._recorder.event(cron_job, "Warning", "FailedDelete", f"Deleted job: {error}")
            return error
        self._jobs_written.note(key, deleted)
        self._recorder.event(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {name_of(job)}")
        return None

    def _changed(self, delta: Delta) -> None:
        """With another schedule nothing is made up for: it starts at its next time."""
        old, new = delta.old, delta.new
        if old is not None and new is not None and any(old["spec"].get(one) != new["spec"].get(one) for one in _WHEN):
            self.queue.add_after(key_of(new), wait_after_change(new, self._clock.now()))
        else:
            self.queue.add(key_of(delta.object))

    def _tell(self, cron_job: Obj, events: Iterable[Told]) -> None:
        for type_, reason, message in events:
            self._recorder.event(cron_job, type_, reason, message)
