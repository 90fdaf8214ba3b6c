"""Tells people what is waited for while Helm waits: looks at a release's pods every other second, only meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skerry.kube.client import Client, Selection
from skerry.kube.errors import StatusError
from skerry.kube.resources import DEPLOYMENTS, PODS, STATEFUL_SETS
from skerry.kube.tasks import end
from skerry.platform.releases.steps import Step, step_of
from skerry.platform.releases.telling import Teller
from skerry.platform.releases.types import RELEASE_LABEL, Phase
from skerry.platform.releases.wanted import Target

_SECONDS = 2.0


class Watch:
    """Of one operation. `trouble`: what was wrong when it was last looked at."""

    def __init__(self) -> None:
        self.trouble = ""


@asynccontextmanager
async def watching(target: Target, phase: Phase, client: Client, teller: Teller) -> AsyncIterator[Watch]:
    """Look while inside, with the project's rights."""
    watch = Watch()
    task = asyncio.create_task(_look(watch, target, phase, client, teller), name="release steps")
    try:
        yield watch
    finally:
        await end(task)


async def _look(watch: Watch, target: Target, phase: Phase, client: Client, teller: Teller) -> None:
    said = ""
    await asyncio.sleep(_SECONDS)
    while True:
        await asyncio.sleep(_SECONDS)
        with contextlib.suppress(StatusError, OSError):
            step = await _step(target, client)
            watch.trouble = step.words if step.is_trouble else ""
            if step.words != said:
                await teller.progress(target.release, phase, step.words)
                said = step.words


async def _step(target: Target, client: Client) -> Step:
    ours = Selection(f"{RELEASE_LABEL}={target.owner[1]}")
    pods = (await client.list(PODS, target.namespace, ours)).items
    workloads = [
        one for kind in (DEPLOYMENTS, STATEFUL_SETS) for one in (await client.list(kind, target.namespace, ours)).items
    ]
    return step_of(pods, workloads)
