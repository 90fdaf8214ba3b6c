"""Creates, deletes and lets go of a Job's pods, and says how many there are afterwards.

Source: `manageJob`, `deleteActivePods`, `deleteJobPods` and `removeTrackingFinalizerFromPods` in Kubernetes'
`job_controller.go`. Pods that are given up while the Job goes on lose their finalizer first: they do not count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from skerry.engine.controllers.job.facts import FINALIZER, is_tracked
from skerry.engine.controllers.pod_control import PodControl, in_growing_batches
from skerry.engine.controllers.pods import is_ready
from skerry.kube.client import Client
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import PODS

Act = Callable[[Obj], Awaitable[StatusError | None]]


@dataclass(slots=True)
class Done:
    """How many pods there are after what was done, and the first failure."""

    active: int
    ready: int
    terminating: int
    error: StatusError | None = None


class JobPods:
    """Acts for the Jobs of one controller; `key` is the Job's."""

    def __init__(self, client: Client, control: PodControl) -> None:
        self._client = client
        self._control = control
        self._released: dict[str, set[str]] = {}

    def released(self, key: str, pods: Sequence[Obj]) -> frozenset[str]:
        """Uids of pods whose finalizer was removed though the cache still shows it."""
        known = self._released.get(key)
        if not known:
            return frozenset()
        shown = {uid_of(pod) for pod in pods if is_tracked(pod)}
        self._released[key] = known & shown
        return frozenset(self._released[key])

    def forget(self, key: str) -> None:
        """The Job is gone or over."""
        self._released.pop(key, None)

    async def create(self, key: str, job: Obj, pods: Sequence[Obj], done: Done) -> None:
        """Create pods in growing batches."""

        async def one(pod: Obj) -> StatusError | None:
            error = await self._control.create(key, job, pod)
            done.active += error is None
            return error

        done.error = await in_growing_batches(pods, one)

    async def end(self, key: str, job: Obj, pods: Sequence[Obj], done: Done) -> None:
        """Delete the pods of a Job that is over; they are counted before they go."""
        await self._remove(pods, lambda pod: self._control.delete(key, job, pod), done)

    async def give_up(self, key: str, job: Obj, pods: Sequence[Obj], done: Done) -> None:
        """Delete pods that are not wanted now; they do not count."""

        async def one(pod: Obj) -> StatusError | None:
            return await self._release(key, pod) or await self._control.delete(key, job, pod)

        await self._remove(pods, one, done)

    async def release(self, key: str, pods: Sequence[Obj]) -> tuple[set[str], StatusError | None]:
        """Take the finalizer off. Returns the uids where that went well, and the first failure."""
        errors = await asyncio.gather(*(self._release(key, pod) for pod in pods))
        freed = {uid_of(pod) for pod, error in zip(pods, errors, strict=True) if error is None}
        return freed, next((error for error in errors if error is not None), None)

    async def _remove(self, pods: Sequence[Obj], act: Act, done: Done) -> None:
        errors = await asyncio.gather(*(act(pod) for pod in pods))
        for pod, error in zip(pods, errors, strict=True):
            done.error = done.error or error
            if error is None:
                done.active -= 1
                done.terminating += 1
                done.ready -= is_ready(pod)

    async def _release(self, key: str, pod: Obj) -> StatusError | None:
        if not is_tracked(pod):
            return None
        error = await remove_finalizer(self._client, pod)
        if error is None:
            self._released.setdefault(key, set()).add(uid_of(pod))
        return error


async def remove_finalizer(client: Client, pod: Obj) -> StatusError | None:
    """Take the tracking finalizer off a pod; one that is gone has none."""
    patch = {"metadata": {"uid": uid_of(pod), "$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
    try:
        await client.patch(PODS, name_of(pod), patch, namespace_of(pod), kind="strategic")
    except NotFound:
        return None
    except StatusError as error:
        return error
    return None
