"""The floor of rollouts: the same pods made and removed by a containerd of our own through CRI, nothing else running.

Several at a time, as Skerry does it: containerd on two cores gains nothing from more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass

from tests.component.runtime.instance import Instance, Pod, temporary_instance

from skerry.engine.node.cri import cri_pb2 as pb

AT_ONCE = 10
COMMAND = ("sh", "-c", "trap exit TERM; while :; do sleep 3600 & wait; done")
"""Ends at once when told to; the shell as process 1 would otherwise ignore SIGTERM. Costs no CPU meanwhile."""
_GRACE = 30
_LOOK_EVERY = 0.01


@dataclass(frozen=True)
class Floors:
    """Seconds."""

    three: float
    to_fifty: float
    to_none: float


async def measure() -> Floors:
    """Three pods, 47 more, none."""
    async with temporary_instance(77) as instance:
        three = await _timed(_start(instance) for _ in range(3))
        to_fifty = await _timed(_start(instance) for _ in range(47))
        to_none = await _timed(_remove(instance, pod) for pod in instance.pods)
        return Floors(three, to_fifty, to_none)


async def ended(count: int, command: Sequence[str]) -> float:
    """Seconds for so many pods whose container ends by itself, from nothing to the sandbox stopped."""
    async with temporary_instance(77) as instance:
        return await _timed(_start_and_end(instance, command) for _ in range(count))


async def _start_and_end(instance: Instance, command: Sequence[str]) -> None:
    pod = await instance.run_pod(command=command)
    while (await instance.cri.container_status(pod.container)).status.state != pb.CONTAINER_EXITED:
        await asyncio.sleep(_LOOK_EVERY)
    await instance.cri.stop_pod_sandbox(pod.sandbox)


async def _start(instance: Instance) -> None:
    await instance.run_pod(command=COMMAND)


async def _remove(instance: Instance, pod: Pod) -> None:
    await instance.cri.stop_container(pod.container, _GRACE)
    await instance.cri.stop_pod_sandbox(pod.sandbox)
    await instance.cri.remove_pod_sandbox(pod.sandbox)


async def _timed(work: Iterable[Awaitable[None]]) -> float:
    """Seconds until all of it is done, `AT_ONCE` at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(what: Awaitable[None]) -> None:
        async with slots:
            await what

    start = time.perf_counter()
    await asyncio.gather(*(one(what) for what in work))
    return time.perf_counter() - start
