"""Asks the runtime what there is: everything at once when the engine starts or containerd came back, else one by one.

Invariant: what is found belongs to a pod by the labels written at creation, so containers of an engine that died are
recognised by the next one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.cri.ends import CERTAIN, once_over
from skerry.engine.node.pods.state import (
    POD_UID,
    ContainerRecord,
    SandboxRecord,
    container_record,
)

_CONCURRENT = 16


@dataclass(slots=True)
class Found:
    """What the runtime has of one pod: the newest sandbox, all sandbox ids, containers newest first by name."""

    sandbox: SandboxRecord | None = None
    sandbox_ids: list[str] = field(default_factory=list)
    containers: dict[str, tuple[ContainerRecord, ...]] = field(default_factory=dict)

    def runtime_ids(self) -> Iterable[str]:
        """Ids that runtime events about this pod carry."""
        yield from self.sandbox_ids
        for attempts in self.containers.values():
            yield from (record.id for record in attempts)


class Observer:
    """Questions to the runtime, answered as records."""

    def __init__(self, cri: CriClient) -> None:
        self._cri = cri

    async def everything(self) -> dict[str, Found]:
        """All pods by uid. Raises CriError."""
        sandboxes, containers = await asyncio.gather(self._cri.list_pod_sandboxes(), self._cri.list_containers())
        return await self._found(sandboxes, containers)

    async def pod(self, uid: str) -> Found:
        """One pod. Raises CriError."""
        labels = {POD_UID: uid}
        sandboxes, containers = await asyncio.gather(
            self._cri.list_pod_sandboxes(labels), self._cri.list_containers(labels=labels)
        )
        return (await self._found(sandboxes, containers)).get(uid, Found())

    async def container(self, container_id: str, sandbox_id: str) -> ContainerRecord | None:
        """One container; None when it does not exist. Raises CriError."""
        try:
            answer = await self._cri.container_status(container_id)
        except CriError as error:
            if error.not_found:
                return None
            raise
        return container_record(answer.status, sandbox_id)

    async def exited(self, container_id: str, sandbox_id: str, patience: float) -> ContainerRecord | None:
        """A container that has ended, once CRI shows it; as it is when `patience` (seconds) is over."""
        ask = partial(self.container, container_id, sandbox_id)
        return await once_over(ask, lambda record: record.exited, patience)

    async def ended_sandbox(self, sandbox_id: str) -> SandboxRecord | None:
        """A sandbox whose end was announced, once CRI shows it too."""
        return await once_over(partial(self.sandbox, sandbox_id), lambda record: not record.ready, CERTAIN)

    async def sandbox(self, sandbox_id: str) -> SandboxRecord | None:
        """One sandbox with its addresses; None when it does not exist. Raises CriError."""
        try:
            answer = await self._cri.pod_sandbox_status(sandbox_id)
        except CriError as error:
            if error.not_found:
                return None
            raise
        status = answer.status
        ips = (status.network.ip, *(extra.ip for extra in status.network.additional_ips))
        ready = status.state == pb.SANDBOX_READY
        return SandboxRecord(status.id, status.metadata.attempt, ready, tuple(ip for ip in ips if ip))

    async def _found(self, sandboxes: Iterable[pb.PodSandbox], containers: Iterable[pb.Container]) -> dict[str, Found]:
        found: dict[str, Found] = defaultdict(Found)
        newest: dict[str, pb.PodSandbox] = {}
        for sandbox in sandboxes:
            uid = sandbox.labels.get(POD_UID, sandbox.metadata.uid)
            found[uid].sandbox_ids.append(sandbox.id)
            if uid not in newest or sandbox.metadata.attempt > newest[uid].metadata.attempt:
                newest[uid] = sandbox
        slots = asyncio.Semaphore(_CONCURRENT)
        records = await asyncio.gather(*(self._limited(slots, entry) for entry in containers))
        for uid, record in records:
            if record is not None:
                found[uid].containers[record.name] = with_record(found[uid].containers.get(record.name, ()), record)
        states = await asyncio.gather(*(self.sandbox(sandbox.id) for sandbox in newest.values()))
        for uid, state in zip(newest, states, strict=True):
            found[uid].sandbox = state
        return dict(found)

    async def _limited(self, slots: asyncio.Semaphore, entry: pb.Container) -> tuple[str, ContainerRecord | None]:
        async with slots:
            return entry.labels.get(POD_UID, ""), await self.container(entry.id, entry.pod_sandbox_id)


def with_record(attempts: tuple[ContainerRecord, ...], record: ContainerRecord) -> tuple[ContainerRecord, ...]:
    """The attempts with one added or replaced, newest first."""
    others = [other for other in attempts if other.id != record.id]
    return tuple(sorted([*others, record], key=lambda each: each.attempt, reverse=True))
