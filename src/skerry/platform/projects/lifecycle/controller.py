"""Brings projects down gently, and up again: the phase, warnings, sleep and waking.

Writes `status.phase`, `status.expires` and the condition `Lasting`; the quota capability refuses new pods by the
phase. Neighbours: `landing` and `sleeping` decide, `history` remembers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.conditions import condition_of
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import (
    Obj,
    Resource,
    annotations_of,
    controller_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
)
from skerry.kube.resources import NAMESPACES, PODS
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, write_status
from skerry.platform.projects.indexes import BY_PROJECT, project_of
from skerry.platform.projects.lifecycle.archiving.keeper import Keeper, has_begun, without_kept
from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVE_LABEL, ARCHIVES
from skerry.platform.projects.lifecycle.history import with_line
from skerry.platform.projects.lifecycle.idling import idle_for, sleep_patch
from skerry.platform.projects.lifecycle.landing import Landing, landing_of
from skerry.platform.projects.lifecycle.recording import unrecorded
from skerry.platform.projects.lifecycle.sleeping import SLEEPERS, asleep, awake
from skerry.platform.projects.types import PROJECT_LABEL, PROJECTS, SLEEPS_BECAUSE, TIERS, ProjectSpec, TierSpec

_ASLEEP = ("Hibernated", "Archived")
_LONGEST = 6 * 3600.0  # seconds: a wall clock may jump, and so may what a far end is


class Lifecycle(Controller):
    """One project at a time."""

    name = "project-lifecycle"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client, self._clock, self._recorder = context.client, context.clock, context.recorder
        of = context.informers.of
        self._projects, self._tiers, self._namespaces, self._pods = of(PROJECTS), of(TIERS), of(NAMESPACES), of(PODS)
        self._namespaces.add_index(BY_PROJECT, project_of)
        self._keeper = Keeper(context)
        self._workloads = {resource: of(resource) for resource in SLEEPERS}
        self.watch(self._projects)
        self._tiers.add_handler(self._tier_changed)
        for informer in (self._pods, *self._workloads.values()):
            informer.add_handler(self._workload_changed)

    def _tier_changed(self, delta: Delta) -> None:
        for project in self._projects.list():
            if project["spec"].get("tier", "free") == name_of(delta.object):
                self.queue.add(name_of(project))

    def _workload_changed(self, delta: Delta) -> None:
        """What is made while a project sleeps is put to sleep as well; what keeps its data has come further."""
        if namespace_of(delta.object) == ARCHIVES and ARCHIVE_LABEL in labels_of(delta.object):
            self.queue.add(labels_of(delta.object)[ARCHIVE_LABEL])
            return
        key = self._project_of(delta.object)
        project = self._projects.get(key) if key else None
        if project is not None and (project.get("status") or {}).get("phase") in _ASLEEP:
            self.queue.add(key)

    def _project_of(self, obj: Obj) -> str:
        namespace = self._namespaces.get(namespace_of(obj))
        return labels_of(namespace).get(PROJECT_LABEL, "") if namespace else ""

    async def reconcile(self, key: str) -> float | None:
        """Look at one project."""
        project = self._projects.get(key)
        if project is None:
            await self._keeper.leave(key)
        if project is None or is_deleting(project):
            return None
        spec = ProjectSpec.of(project["spec"])
        tier = self._tiers.get(spec.tier)
        if tier is None:
            return None  # the project's own condition says so
        now = self._clock.now()
        allowed = TierSpec.of(tier["spec"])
        landing = landing_of(project, spec, allowed, _draining_since(project), now)
        if landing.phase == "Active" and await self._slept_or_noted(project, allowed):
            return None  # the change leads back here
        await self._write(project, landing, now)
        await self._act(key, is_asleep=landing.phase in _ASLEEP)
        soon = await self._archive(project, landing) if landing.phase == "Archived" else None
        return min((one for one in (soon, landing.again, _LONGEST) if one is not None), default=None)

    async def _slept_or_noted(self, project: Obj, tier: TierSpec) -> bool:
        """Puts a project to sleep of which nobody makes use; forgets why one slept that is awake."""
        why = idle_for(project, tier)
        if why:
            await self._client.patch(PROJECTS, name_of(project), sleep_patch(project, why))
        elif SLEEPS_BECAUSE in annotations_of(project):
            await self._client.patch(PROJECTS, name_of(project), {"metadata": {"annotations": {SLEEPS_BECAUSE: None}}})
        else:
            return False
        return True

    async def _archive(self, project: Obj, landing: Landing) -> float | None:
        """Once everybody knows that it is archived, and nothing runs in it any more; pods that end lead back here."""
        theirs = self._theirs(name_of(project))
        runs = any(not _has_ended(pod) for namespace in theirs for pod in self._pods.list(namespace))
        if (project.get("status") or {}).get("phase") != "Archived" or runs:
            return None
        return await self._keeper.go_on(project, theirs, landing.purges)

    async def _write(self, project: Obj, landing: Landing, now: datetime) -> None:
        status = project.get("status") or {}
        before, warned = status.get("phase", "Pending"), status.get("warned") or []
        news = [one for one in landing.warnings if one.mark not in warned]
        for one in news:
            self._recorder.event(project, "Warning", "Ending", one.message)
        said = [one.message for one in news]
        if landing.phase not in (before, "Active") or before not in ("Pending", "Active", landing.phase):
            said.append(f"{landing.phase}: {landing.message}" if landing.message else landing.phase)
            self._recorder.event(project, "Normal", landing.phase, landing.message or "it is awake")
        lines = [*unrecorded(project), *({"time": rfc3339(now), "what": text} for text in said)]
        history = status.get("history") or []
        for line in lines:
            history = with_line(history, line)
        lasting = Condition("Lasting", landing.phase == "Active", landing.reason, landing.message)
        fields: Obj = {
            "phase": landing.phase,
            "expires": rfc3339(landing.expires) if landing.expires else None,
            "purges": rfc3339(landing.purges) if landing.purges else None,
            **({"archive": None} if landing.phase == "Active" else {}),
            "warned": [one.mark for one in landing.warnings],
            "history": history,  # empty, not left out: so the API completes it, and what differs is written again
        }
        if landing.phase == "Active" and has_begun(project):
            await self._keeper.drop(project)  # first: what is not noted any more would be taken for new the next time
            project = without_kept(project)
        await write_status(self._client, self._clock, PROJECTS, project, (lasting,), **fields)

    async def _act(self, key: str, *, is_asleep: bool) -> None:
        for resource, obj in self._of_project(key):
            patch = asleep(resource, obj) if is_asleep else awake(resource, obj)
            if patch is not None:
                with suppress(NotFound):
                    await self._client.patch(resource, name_of(obj), patch, namespace_of(obj))
        if is_asleep:
            await self._end_bare_pods(key)

    def _of_project(self, key: str) -> Iterator[tuple[Resource, Obj]]:
        theirs = self._theirs(key)
        for resource, informer in self._workloads.items():
            for namespace in theirs:
                yield from ((resource, obj) for obj in informer.list(namespace))

    def _theirs(self, key: str) -> list[str]:
        return [name_of(one) for one in self._namespaces.by_index(BY_PROJECT, key)]

    async def _end_bare_pods(self, key: str) -> None:
        for namespace in self._theirs(key):
            for pod in self._pods.list(namespace):
                if controller_of(pod) is None and not is_deleting(pod):
                    with suppress(NotFound):
                        await self._client.delete(PODS, name_of(pod), namespace)


def _has_ended(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _draining_since(project: Obj) -> datetime | None:
    """By the condition that says it: it stays False from draining through sleep."""
    lasting = condition_of(project, "Lasting")
    if lasting is None or lasting["status"] == "True" or lasting["reason"] in _ASLEEP:
        return None
    return parse_time(lasting["lastTransitionTime"])
