"""Jobs that are over are deleted `spec.ttlSecondsAfterFinished` later, with their pods.

Source: Kubernetes `pkg/controller/ttlafterfinished`. What the cache says is asked of the API again before anything is
deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.job.facts import finished
from skerry.kube.clock import parse_time
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import JOBS


class FinishedJobs(Controller):
    """Keys are Jobs that are over and have a time to live."""

    name = "ttl-after-finished"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._jobs = context.informers.of(JOBS)
        self.watch(self._jobs, _concerned)

    async def reconcile(self, key: str) -> float | None:
        """Delete one Job whose time is over, or come back then."""
        namespace, name = split_key(key)
        cached = self._jobs.get(name, namespace)
        left = seconds_left(cached, self._clock.now()) if cached is not None else None
        if left != 0:
            return left
        try:
            job = await self._client.get(JOBS, name, namespace)
            left = seconds_left(job, self._clock.now())
            if left == 0:
                await self._delete(job)
                return None
        except NotFound:
            return None
        return left

    async def _delete(self, job: Obj) -> None:
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid_of(job)}}
        await self._client.delete(JOBS, name_of(job), namespace_of(job), options)


def seconds_left(job: Obj, now: datetime) -> float | None:
    """Until the Job is to go, 0 when its time is over; None when it is not to go by itself."""
    ttl, end = job["spec"].get("ttlSecondsAfterFinished"), finished(job)
    if ttl is None or end is None or is_deleting(job):
        return None
    return max(0.0, float(ttl) - (now - parse_time(end["lastTransitionTime"])).total_seconds())


def _concerned(job: Obj) -> Iterable[str]:
    waits = job["spec"].get("ttlSecondsAfterFinished") is not None and finished(job) is not None
    return (key_of(job),) if waits else ()
