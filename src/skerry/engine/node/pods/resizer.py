"""Carries out resizes of one pod: the pod's cgroup grows first and shrinks last, its containers in between.

Neighbours: `resizing` decides, `cgroups` and the runtime do it. What cannot be done is told and tried again later.
Source of the behaviour: the kubelet's `doPodResizeAction`.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.pods.knowledge import Knowledge
from skerry.engine.node.pods.resizing import changed, with_applied
from skerry.engine.node.pods.state import ContainerRecord, Wait, all_containers
from skerry.engine.node.spec.resources import container_resources, pod_limits
from skerry.kube.objects import Obj, uid_of

_RETRY = timedelta(seconds=5)


class Refused(Exception):
    """The kernel or the runtime would not have it."""


class Resizer:
    """One pod's. Methods return whether it was done."""

    def __init__(self, context: NodeContext, known: Knowledge) -> None:
        self._context = context
        self._known = known

    async def resize(self, record: ContainerRecord) -> bool:
        """Give a running container the resources it wants."""
        container = self._known.container_spec(record.name)
        return await self._change([record], {record.id: container.get("resources") or {}})

    async def resize_pod(self) -> bool:
        """Give the pod as a whole what it wants, and with it the containers that have no limits of their own."""
        known = self._known
        alike = [record for record in known.running() if not self._differs(record)]
        return await self._change(alike, {}, known.pod["spec"].get("resources") or {})

    def _differs(self, record: ContainerRecord) -> bool:
        """Whether a container is to be resized itself: then that is done by its own policy."""
        return bool(changed(self._known.container_spec(record.name), self._known.applied.get(record.id)))

    async def _change(self, records: list[ContainerRecord], applied: dict[str, Obj], whole: Obj | None = None) -> bool:
        known, context, uid = self._known, self._context, uid_of(self._known.pod)
        given = {each.name: applied[each.id] for each in records if each.id in applied}
        present = with_applied(known.pod, known.applied_by_name(), known.pod_applied)
        wanted = with_applied(
            known.pod, {**known.applied_by_name(), **given}, known.pod_applied if whole is None else whole
        )
        before, after = pod_limits(present), pod_limits(wanted)
        try:
            await asyncio.to_thread(self._check_memory, records, present, wanted)
            context.cgroups.create(uid, after.at_least(before))
            for record in records:
                await self._update(record, wanted)
            context.cgroups.create(uid, after)
        except Refused as refused:
            self._failed(str(refused))
            return False
        known.applied.update(applied)
        known.pod_applied = known.pod_applied if whole is None else whole
        known.resize_wait = None
        return True

    def _check_memory(self, records: list[ContainerRecord], present: Obj, wanted: Obj) -> None:
        """No limit goes below what is used: the kernel would kill for it, or refuse. Raises Refused."""
        uid, cgroups = uid_of(wanted), self._context.cgroups
        _refuse_below("pod", pod_limits(present).memory, pod_limits(wanted).memory, cgroups.memory_usage(uid))
        for record in records:
            before, after = (self._resources(pod, record).memory_limit_in_bytes for pod in (present, wanted))
            _refuse_below(f'container "{record.name}"', before, after, cgroups.memory_usage(uid, record.id))

    def _resources(self, pod: Obj, record: ContainerRecord) -> pb.LinuxContainerResources:
        container = next(each for each in all_containers(pod) if each["name"] == record.name)
        return container_resources(pod, container, self._context.machine_memory)

    async def _update(self, record: ContainerRecord, wanted: Obj) -> None:
        try:
            await self._context.cri.update_container_resources(record.id, self._resources(wanted, record))
        except CriError as error:
            raise Refused(f"error resizing container {record.name}: {error.message}") from error

    def _failed(self, why: str) -> None:
        known = self._known
        if known.resize_wait is None or known.resize_wait.message != why:
            self._context.recorder.event(known.pod, "Warning", "ResizeError", f"Error resizing the pod: {why}")
        known.resize_wait = Wait("Error", why, self._context.config.clock.steady() + _RETRY)


def _refuse_below(what: str, present: int, wanted: int, used: int) -> None:
    """Limits and usage in bytes; a limit of 0 is none."""
    shrinks = wanted and (not present or wanted < present)
    if shrinks and used > wanted:
        raise Refused(f"attempting to set {what} memory limit ({wanted}) below current usage ({used})")
