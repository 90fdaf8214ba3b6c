"""The end of a pod: its last status, the API object, and everything it had on this machine.

Volumes are unmounted first. Then the API object goes, so that whoever waits for it does not wait for the tidying; what
a crash in between leaves behind is found by the next start (`manager`). All of it is harmless twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.pods.forgotten import ending_in_earnest
from skerry.engine.node.pods.knowledge import Knowledge
from skerry.engine.node.pods.state import POD_UID
from skerry.engine.node.spec.sandbox import pod_log_directory
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import PODS


async def finish(context: NodeContext, known: Knowledge) -> bool:
    """Returns True when nothing of the pod is left. Raises CriError, StatusError: try again."""
    uid = uid_of(known.pod)
    await context.statuses.flush(uid)
    if context.volumes.holds(uid):
        await context.volumes.tear_down(uid)  # whoever sees the pod gone may take its claims
    if not known.removed:
        await _delete_object(context, known.pod)
    context.statuses.forget(uid)
    context.puller.forget(f"{uid}/")
    context.crashes.forget(f"{uid}/")
    await remove_runtime_state(context, uid)
    await asyncio.to_thread(shutil.rmtree, pod_log_directory(context.config.paths.pod_logs, known.pod), True)
    return True


async def _delete_object(context: NodeContext, pod: Obj) -> None:
    options: Obj = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid_of(pod)}}
    with contextlib.suppress(NotFound, Conflict):
        await context.client.delete(PODS, name_of(pod), namespace_of(pod), options)


async def remove_runtime_state(context: NodeContext, uid: str) -> None:
    """Sandboxes with their containers (removing ends what runs), volumes, cgroups. Raises CriError."""
    async with context.slots.stops:
        for sandbox in await context.cri.list_pod_sandboxes({POD_UID: uid}):
            async with ending_in_earnest(context, sandbox.id):
                await context.cri.remove_pod_sandbox(sandbox.id)
    context.network.detached(uid)
    await context.volumes.remove(uid)
    await asyncio.to_thread(context.cgroups.remove, uid)


async def stop_orphan(context: NodeContext, uid: str) -> None:
    """A pod that was deleted while no engine ran: end its containers with a short grace, then remove everything."""
    containers = await context.cri.list_containers(labels={POD_UID: uid})
    await asyncio.gather(*(_stop(context, container.id) for container in containers))
    await remove_runtime_state(context, uid)
    for directory in context.config.paths.pod_logs.glob(f"*_{uid}"):
        await asyncio.to_thread(shutil.rmtree, directory, True)


_ORPHAN_GRACE = 2  # seconds


async def _stop(context: NodeContext, container_id: str) -> None:
    with contextlib.suppress(CriError):
        await context.cri.stop_container(container_id, _ORPHAN_GRACE)


def leftover_uids(context: NodeContext) -> set[str]:
    """Pods that have directories or cgroups here."""
    logs = {path.name.rpartition("_")[2] for path in _entries(context.config.paths.pod_logs)}
    return context.volumes.known_uids() | context.cgroups.uids() | logs


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.exists() else []
