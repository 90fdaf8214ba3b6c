"""Carries the plan of a StatefulSet out, with the events Kubernetes writes about it.

Source: Kubernetes `stateful_pod_control.go`. What is planned is done in this order: claims, owner references, removals,
corrections, creations; the first failure ends it and is returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from skerry.engine.controllers.pod_control import MOST_AT_ONCE, in_growing_batches
from skerry.engine.controllers.statefulset.identity import corrected, ordinal_of
from skerry.engine.controllers.statefulset.plan import Plan
from skerry.engine.controllers.writing import Written, namespace_is_ending
from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, Conflict, NotFound, StatusError
from skerry.kube.events import Recorder
from skerry.kube.objects import Obj, key_of, name_of, namespace_of, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS


class StatefulPods:
    """Acts on pods and claims."""

    def __init__(self, client: Client, recorder: Recorder, written: Written) -> None:
        self._client = client
        self._recorder = recorder
        self._written = written

    async def carry_out(self, owner: Obj, plan: Plan) -> StatusError | None:
        """Do what is planned; returns the first failure."""
        return (
            _first([await self._provide(owner, claim) for claim in plan.provide])
            or _first([await self._own(claim, references) for claim, references in plan.own])
            or _first(await asyncio.gather(*(self._delete(owner, pod) for pod in plan.delete)))
            or _first([await self._correct(owner, pod) for pod in plan.correct])
            or await in_growing_batches(plan.create[:MOST_AT_ONCE], lambda pod: self._create(owner, pod))
        )

    async def _provide(self, owner: Obj, claim: Obj) -> StatusError | None:
        pod = f"{name_of(owner)}-{ordinal_of(claim)}"
        try:
            await self._client.create(PERSISTENT_VOLUME_CLAIMS, claim, namespace_of(claim))
        except AlreadyExists:
            return None  # never overwritten
        except StatusError as error:
            what = f"create Claim {name_of(claim)} for Pod {pod} in StatefulSet {name_of(owner)} failed error: {error}"
            self._failed(owner, "Create", what, error)
            why = f"failed to create PVC {name_of(claim)}: {error}"
            self._failed(owner, "Create", _words("create", pod, owner, why), error)
            return error
        what = f"create Claim {name_of(claim)} Pod {pod} in StatefulSet {name_of(owner)} success"
        self._recorder.event(owner, "Normal", "SuccessfulCreate", what)
        return None

    async def _own(self, claim: Obj, references: list[Obj]) -> StatusError | None:
        metadata = {"resourceVersion": claim["metadata"]["resourceVersion"], "ownerReferences": references}
        try:
            patch = {"metadata": metadata}
            await self._client.patch(PERSISTENT_VOLUME_CLAIMS, name_of(claim), patch, namespace_of(claim))
        except NotFound:
            return None
        except StatusError as error:
            return error
        return None

    async def _delete(self, owner: Obj, pod: Obj) -> StatusError | None:
        options = {"preconditions": {"uid": uid_of(pod)}}
        try:
            deleted = await self._client.delete(PODS, name_of(pod), namespace_of(pod), options)
        except (NotFound, Conflict):
            return None  # gone, or another one by now
        except StatusError as error:
            self._failed(owner, "Delete", _words("delete", name_of(pod), owner, error), error)
            return error
        self._done(owner, "Delete", pod, deleted)
        return None

    async def _correct(self, owner: Obj, pod: Obj) -> StatusError | None:
        try:
            changed = await self._client.update(PODS, corrected(owner, pod))
        except NotFound:
            return None
        except StatusError as error:
            if not isinstance(error, Conflict):
                self._failed(owner, "Update", _words("update", name_of(pod), owner, error), error)
            return error
        self._done(owner, "Update", pod, changed)
        return None

    async def _create(self, owner: Obj, pod: Obj) -> StatusError | None:
        try:
            created = await self._client.create(PODS, pod, namespace_of(owner))
        except AlreadyExists as error:
            return error  # somebody else's pod, or one on its way out: tried again, and no news
        except StatusError as error:
            self._failed(owner, "Create", _words("create", name_of(pod), owner, error), error)
            return error
        self._done(owner, "Create", pod, created)
        return None

    def _done(self, owner: Obj, verb: str, pod: Obj, answer: Obj) -> None:
        self._written.note(key_of(owner), answer)
        self._recorder.event(owner, "Normal", f"Successful{verb}", _words(verb.lower(), name_of(pod), owner))

    def _failed(self, owner: Obj, verb: str, message: str, error: StatusError) -> None:
        if not namespace_is_ending(error):
            self._recorder.event(owner, "Warning", f"Failed{verb}", message)


def _words(verb: str, pod: str, owner: Obj, error: object = None) -> str:
    outcome = f"failed error: {error}" if error is not None else "successful"
    return f"{verb} Pod {pod} in StatefulSet {name_of(owner)} {outcome}"


def _first(errors: Iterable[StatusError | None]) -> StatusError | None:
    return next((error for error in errors if error is not None), None)
