"""Carries out what was decided of ProjectRequests, and decides those that need nobody.

A decision that cannot be carried out (a name taken meanwhile, a project gone) is a Failed request with its reason,
never half a project. Neighbours: `asking` admits requests, `deciding` works out what they change.
"""

from __future__ import annotations

from skerry.kube.clock import rfc3339
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, Forbidden, Invalid, NotFound
from skerry.kube.objects import Obj, annotations_of
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, write_status
from skerry.platform.projects.lifecycle import deciding
from skerry.platform.projects.lifecycle.asking import AUTOMATIC
from skerry.platform.projects.lifecycle.history import Historian
from skerry.platform.projects.lifecycle.landing import end_of
from skerry.platform.projects.types import (
    PROJECT_REQUESTS,
    PROJECTS,
    TIERS,
    ProjectRequestSpec,
    ProjectSpec,
    TierSpec,
)

_MADE_BY, _GRANTED = "skerry.dev/made-by-request", "skerry.dev/last-request"
"""Annotations of a project: the request it came from, and that which changed it last."""


class Requests(Controller):
    """One request at a time, so that the second of two first projects sees the first."""

    name = "project-requests"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._history = Historian(context)
        self._requests = context.informers.of(PROJECT_REQUESTS)
        self._projects = context.informers.of(PROJECTS)
        self._tiers = context.informers.of(TIERS)
        self.watch(self._requests)

    async def reconcile(self, key: str) -> float | None:
        """Decide it if nobody must, carry it out when it is decided."""
        request = self._requests.get(key)
        if request is None or (request.get("status") or {}).get("phase") in ("Approved", "Denied", "Failed"):
            return None
        spec = ProjectRequestSpec.of(request["spec"])
        if spec.decision is None and await self._approves_itself(spec):
            await self._client.patch(PROJECT_REQUESTS, key, {"spec": {"decision": "Approved"}})
        elif spec.decision is None:
            await self._say(request, "Pending", "WaitingForDecision", "an operator has to decide")
        elif spec.decision == "Denied":
            await self._say(request, "Denied", "Denied", spec.answer)
        else:
            failed = await self._carry_out(key, spec)
            if failed:
                await self._say(request, "Failed", "CannotBeDone", failed)
            else:
                await self._say(request, "Approved", "Approved", spec.answer)
        return None

    async def _approves_itself(self, spec: ProjectRequestSpec) -> bool:
        tier = self._tiers.get(spec.tier or "free")
        projects = (await self._client.list(PROJECTS)).items  # the cache may not show the last one yet
        owned = [ProjectSpec.of(one["spec"]) for one in projects]
        return deciding.approves_itself(spec, TierSpec.of(tier["spec"]) if tier else None, owned)

    async def _carry_out(self, key: str, spec: ProjectRequestSpec) -> str:
        """Why it cannot be, "" when it is done."""
        by = spec.decided_by or AUTOMATIC
        try:
            if spec.kind == "Project":
                await self._make(key, spec)
            else:
                await self._change(key, spec)
        except AlreadyExists:
            return f"there is a project {spec.project} of somebody else by now: ask for another name"
        except NotFound:
            return f"there is no project {spec.project} any more"
        except (Invalid, Forbidden) as error:
            return error.message
        await self._history.add(spec.project, f"{key}: {spec.kind.lower()} granted to {spec.requester}", by)
        return ""

    async def _make(self, key: str, spec: ProjectRequestSpec) -> None:
        project = deciding.new_project(spec)
        project["metadata"]["annotations"] = {_MADE_BY: key}
        try:
            await self._client.create(PROJECTS, project)
        except AlreadyExists:
            there = await self._client.get(PROJECTS, spec.project)
            if annotations_of(there).get(_MADE_BY) != key:
                raise  # else it is ours, made before we were killed

    async def _change(self, key: str, spec: ProjectRequestSpec) -> None:
        project = await self._client.get(PROJECTS, spec.project)
        if annotations_of(project).get(_GRANTED) == key:
            return  # done before we were killed; requests are carried out one after the other
        patch = deciding.more(spec) if spec.kind == "Quota" else self._longer(spec, project)
        seen = project["metadata"]["resourceVersion"]
        metadata = {"resourceVersion": seen, "annotations": {_GRANTED: key}}
        await self._client.patch(PROJECTS, spec.project, {**patch, "metadata": metadata})

    def _longer(self, spec: ProjectRequestSpec, project: Obj) -> Obj:
        of = ProjectSpec.of(project["spec"])
        tier = self._tiers.get(of.tier)
        end = end_of(project, of, TierSpec.of(tier["spec"] if tier else None))
        return deciding.longer(spec, end, self._clock.now())

    async def _say(self, request: Obj, phase: str, reason: str, message: str) -> None:
        is_done = phase != "Pending"
        fields: Obj = {"phase": phase}
        if is_done:
            fields |= {"decidedAt": rfc3339(self._clock.now()), "decidedBy": request["spec"].get("decidedBy", "")}
        ready = Condition("Ready", phase == "Approved", reason, message)
        await write_status(self._client, self._clock, PROJECT_REQUESTS, request, (ready,), **fields)
