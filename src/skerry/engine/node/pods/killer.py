"""Stops one container: Killing event, preStop hook, SIGTERM, and SIGKILL when the deadline passes.

Source of the behaviour: the kubelet's `killContainer`. The hook's time counts against the grace period; a grace of 0
skips hook and SIGTERM.
"""

from __future__ import annotations

import asyncio
import math
from datetime import datetime

from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri.client import CriError
from skerry.engine.node.errors import HookError
from skerry.engine.node.hooks import HookTarget, run_hook
from skerry.engine.node.pods.forgotten import ending_in_earnest
from skerry.engine.node.pods.starter import field_path
from skerry.engine.node.pods.state import ContainerRecord
from skerry.kube.objects import Obj
from skerry.kube.records import record

_AFTER_HOOK = 2  # seconds a container always gets after a preStop hook that used up its grace


@record
class KillJob:
    """What to stop. `again`: a kill with a longer grace is under way, only the deadline is brought forward."""

    pod: Obj
    container: Obj
    record: ContainerRecord
    ip: str
    deadline: datetime
    message: str
    again: bool = False


async def kill(context: NodeContext, job: KillJob) -> None:
    """Returns when the container has stopped. Raises CriError."""
    if not job.again:
        context.recorder.event(job.pod, "Normal", "Killing", job.message, field_path(job.pod, job.container))
    context.prober.wind_down(job.record.id)
    grace = (job.deadline - context.config.clock.steady()).total_seconds()
    hook = (job.container.get("lifecycle") or {}).get("preStop")
    if hook and grace > 0 and not job.again:
        await _pre_stop(context, job, hook, grace)
        grace = max((job.deadline - context.config.clock.steady()).total_seconds(), _AFTER_HOOK)
    try:
        async with ending_in_earnest(context, job.record.sandbox_id):
            await context.cri.stop_container(job.record.id, max(0, math.ceil(grace)))
    except CriError as error:
        if not error.not_found:
            raise


async def _pre_stop(context: NodeContext, job: KillJob, hook: Obj, seconds: float) -> None:
    target = HookTarget(job.container, job.record.id, job.ip)
    try:
        async with asyncio.timeout(seconds):
            await run_hook(context.cri, target, hook)
    except (HookError, TimeoutError) as error:
        why = error.message if isinstance(error, HookError) else "it did not end within the grace period"
        message = f"PreStopHook failed: {why}"
        context.recorder.event(job.pod, "Warning", "FailedPreStopHook", message, field_path(job.pod, job.container))
