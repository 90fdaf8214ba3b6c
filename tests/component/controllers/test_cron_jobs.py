"""CronJobs on a real API: starts by a clock that the test sets, concurrency, history, what is missed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from skerry.kube.objects import Obj, annotations_of, controller_of, name_of, uid_of
from skerry.kube.resources import CRON_JOBS, JOBS, PODS
from tests.component.controllers.jobs import job
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers

START = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)


@asynccontextmanager
async def clocked() -> AsyncIterator[tuple[World, SetClock]]:
    clock = SetClock(START)
    async with running_controllers(clock=clock) as world:
        yield world, clock


async def create(world: World, schedule: str = "*/1 * * * *", **spec: Any) -> Obj:
    template = {"metadata": {"labels": {"run": "tick"}}, "spec": job()["spec"]}
    body = {"schedule": schedule, "jobTemplate": template, **spec}
    return await world.client.create(CRON_JOBS, {"metadata": {"name": "tick"}, "spec": body}, "default")


def status(world: World) -> Obj:
    found: Obj = (world.get(CRON_JOBS, "tick") or {}).get("status") or {}
    return found


async def moved(world: World, clock: SetClock, seconds: float) -> None:
    """Let time pass; what would wake up at the next start is woken."""
    clock.advance(seconds)
    for controller in world.controllers:
        if controller.name == "cronjob":
            controller.queue.add("default/tick")


def names(world: World) -> list[str]:
    return sorted(name_of(one) for one in world.list(JOBS))


def started(minute: int) -> str:
    """The name of the Job of a minute after noon."""
    return f"tick-{int(START.replace(second=0).timestamp()) // 60 + minute}"


async def test_a_job_a_minute() -> None:
    async with clocked() as (world, clock):
        made = await create(world)
        await world.settle()
        assert not names(world)
        await moved(world, clock, 40)
        await world.until(lambda: status(world).get("active"))
        await world.until(lambda: names(world) == [started(1)])
        (first,) = world.list(JOBS)
        assert (first["metadata"]["labels"]["run"], uid_of(made)) == ("tick", (controller_of(first) or {})["uid"])
        assert annotations_of(first)["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2026-05-01T12:01:00Z"
        assert status(world)["lastScheduleTime"] == "2026-05-01T12:01:00Z"
        await moved(world, clock, 60)
        await world.until(lambda: len(status(world).get("active") or ()) == 2)
        await world.until(lambda: names(world) == [started(1), started(2)])
        await world.until(lambda: world.events("SuccessfulCreate"))


async def succeed(world: World) -> None:
    """What a node would say of pods that are done (the simulated one falls silent when the clock is moved), after
    all that the simulated one has to say, which would undo it."""
    await world.settle()
    for pod in world.list(PODS):
        if (pod.get("status") or {}).get("phase") != "Succeeded":
            done = {"status": {"phase": "Succeeded"}}
            await world.client.patch(PODS, name_of(pod), done, "default", subresource="status")


async def test_history_is_bounded() -> None:
    async with clocked() as (world, clock):
        await create(world, successfulJobsHistoryLimit=1)
        for name in map(started, (1, 2, 3)):
            await moved(world, clock, 60)
            await world.until(lambda name=name: any(pod["metadata"]["labels"]["job-name"] == name
                                                    for pod in world.list(PODS)))  # fmt: skip
            await succeed(world)
            await world.until(lambda name=name: names(world) == [name] and not status(world).get("active"))
        assert status(world)["lastSuccessfulTime"] == "2026-05-01T12:03:30Z"
        await world.until(lambda: len(world.events("SawCompletedJob")) == 3 and len(world.list(PODS)) == 1)


@pytest.mark.parametrize(("policy", "left"), [("Forbid", [1]), ("Replace", [2]), ("Allow", [1, 2])])
async def test_concurrency(policy: str, left: list[int]) -> None:
    async with clocked() as (world, clock):
        await create(world, concurrencyPolicy=policy)
        await moved(world, clock, 60)
        await world.until(lambda: status(world).get("active"))
        await moved(world, clock, 60)
        reason = "JobAlreadyActive" if policy == "Forbid" else "SuccessfulCreate"
        await world.until(lambda: reason == "SuccessfulCreate" or world.events(reason))
        await world.until(lambda: names(world) == [started(minute) for minute in left])
        await world.until(lambda: [one["name"] for one in status(world)["active"]] == names(world))


async def test_what_was_missed_is_made_up_for_once() -> None:
    async with clocked() as (world, clock):
        await create(world)
        await moved(world, clock, 60 * 200)
        await world.until(lambda: names(world) == [started(200)])
        await world.until(lambda: world.events("TooManyMissedTimes"))


async def test_too_late_is_not_started() -> None:
    async with clocked() as (world, clock):
        await create(world, "0 13 * * *", startingDeadlineSeconds=10)
        await moved(world, clock, 3600)
        await world.settle()
        assert not names(world), "the start at one was more than ten seconds ago"


async def test_suspended_or_with_another_schedule() -> None:
    async with clocked() as (world, clock):
        await create(world, suspend=True)
        await moved(world, clock, 120)
        await world.settle()
        assert not names(world)
        await world.client.patch(CRON_JOBS, "tick", {"spec": {"schedule": "0 * * * *"}}, "default")
        await world.until(lambda: world.get(CRON_JOBS, "tick")["spec"]["schedule"] == "0 * * * *")  # type: ignore[index]
        await world.client.patch(CRON_JOBS, "tick", {"spec": {"suspend": False}}, "default")
        await world.settle()
        assert not names(world)
        await moved(world, clock, 3600)
        await world.until(lambda: names(world) == [started(60)])


async def test_a_job_that_vanishes_is_active_no_more() -> None:
    async with clocked() as (world, clock):
        await create(world)
        await moved(world, clock, 60)
        await world.until(lambda: status(world).get("active"))
        await world.client.delete(JOBS, started(1), "default", {"propagationPolicy": "Background"})
        await world.until(lambda: not status(world).get("active"))
        await world.until(lambda: world.events("MissingJob"))
        assert not names(world), "its minute is not started again"
