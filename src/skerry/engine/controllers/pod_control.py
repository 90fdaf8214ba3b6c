"""Creating and deleting pods on behalf of a controller object, with the events Kubernetes writes about it.

Source: Kubernetes `RealPodControl` (`pkg/controller/controller_utils.go`). Used by ReplicaSet, ReplicationController,
DaemonSet and Job; a StatefulSet has words of its own. Every write is noted in `Written`, so that a lagging cache is
known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from skerry.engine.controllers.writing import Written, namespace_is_ending
from skerry.kube.client import Client
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.events import Recorder
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import PODS

MOST_AT_ONCE = 500
"""Pods created or deleted in one go."""
_BATCH_GROWTH = 4
Item = TypeVar("Item")


async def in_growing_batches(
    items: Sequence[Item], act: Callable[[Item], Awaitable[StatusError | None]]
) -> StatusError | None:
    """Act on one, then on more and more at once; a batch with a failure (a quota) stops the rest and is returned."""
    done, batch = 0, 1
    while done < len(items):
        errors = await asyncio.gather(*(act(item) for item in items[done : done + batch]))
        failed = next((error for error in errors if error is not None), None)
        if failed is not None:
            return failed
        done += batch
        batch *= _BATCH_GROWTH
    return None


class PodControl:
    """Acts for the owners of one controller; `key` is the owner's."""

    def __init__(self, client: Client, recorder: Recorder, written: Written) -> None:
        self._client = client
        self._recorder = recorder
        self._written = written

    async def create_all(self, key: str, owner: Obj, pods: Sequence[Obj]) -> StatusError | None:
        """Create pods in growing batches; returns the first failure."""
        return await in_growing_batches(pods[:MOST_AT_ONCE], lambda pod: self.create(key, owner, pod))

    async def delete_all(self, key: str, owner: Obj, pods: Iterable[Obj]) -> StatusError | None:
        """Delete pods, all at once; returns the first failure."""
        errors = await asyncio.gather(*(self.delete(key, owner, pod) for pod in pods))
        return next((error for error in errors if error is not None), None)

    async def create(self, key: str, owner: Obj, pod: Obj) -> StatusError | None:
        """Create one pod; returns the failure."""
        try:
            created = await self._client.create(PODS, pod, namespace_of(owner))
        except StatusError as error:
            if not namespace_is_ending(error):
                self._recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error}")
            return error
        self._written.note(key, created)
        self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {name_of(created)}")
        return None

    async def delete(self, key: str, owner: Obj, pod: Obj) -> StatusError | None:
        """Delete one pod; returns the failure. One that is gone is none."""
        options = {"preconditions": {"uid": uid_of(pod)}}
        try:
            deleted = await self._client.delete(PODS, name_of(pod), namespace_of(pod), options)
        except NotFound:
            return None
        except StatusError as error:
            self._recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error}")
            return error
        self._written.note(key, deleted)
        self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
        return None
