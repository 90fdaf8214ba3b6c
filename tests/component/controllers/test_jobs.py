"""Jobs on a real API with a simulated node: completions, counting, conditions, events, ends."""

from __future__ import annotations

from skerry.engine.controllers.job.facts import is_tracked
from skerry.kube.objects import labels_of, name_of, uid_of
from skerry.kube.resources import JOBS, PODS
from tests.component.controllers.jobs import conditions, create, ended, status, tracked
from tests.support.controllers import running_controllers


async def test_a_job_completes() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 0
        made = await create(world)
        done = await ended(world, "Complete")
        assert (done["succeeded"], done.get("failed"), done.get("active")) == (1, None, None)
        assert (done["ready"], done["terminating"], done["uncountedTerminatedPods"]) == (0, 0, {})
        assert done["startTime"] <= done["completionTime"]
        assert conditions(world) == {"SuccessCriteriaMet": "CompletionsReached", "Complete": "CompletionsReached"}
        (pod,) = world.list(PODS)
        assert name_of(pod).startswith("work-")
        assert labels_of(pod) == {
            "batch.kubernetes.io/controller-uid": uid_of(made), "controller-uid": uid_of(made),
            "batch.kubernetes.io/job-name": "work", "job-name": "work",
        }  # fmt: skip
        await world.until(lambda: not tracked(world))
        await world.until(lambda: world.events("Completed"))
        await world.until(lambda: world.events("SuccessfulCreate"))
        assert world.events("SuccessfulCreate") == [f"Created pod: {name_of(pod)}"]


async def test_as_many_at_once_as_allowed() -> None:
    async with running_controllers() as world:
        await create(world, completions=5, parallelism=2)
        await world.until(lambda: status(world).get("ready") == 2)
        assert status(world)["active"] == len(world.list(PODS)) == 2
        world.node.ends = lambda pod: 0
        world.node.look_again()
        done = await ended(world, "Complete")
        assert done["succeeded"] == len(world.list(PODS)) == 5


async def test_too_many_failures() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 3
        await create(world, backoffLimit=0)
        done = await ended(world, "Failed")
        assert (done.get("succeeded"), done["failed"]) == (None, 1)
        assert "completionTime" not in done
        assert conditions(world) == {"FailureTarget": "BackoffLimitExceeded", "Failed": "BackoffLimitExceeded"}
        await world.until(lambda: world.events("BackoffLimitExceeded"))
        assert world.events("BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]
        assert not any(is_tracked(pod) for pod in (await world.client.list(PODS, "default")).items)


async def test_the_last_failure_ends_what_still_runs() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 1 if name_of(pod) == bad else None
        bad = ""
        await create(world, parallelism=3, completions=3, backoffLimit=0)
        await world.until(lambda: status(world).get("ready") == 3)
        bad = name_of(world.list(PODS)[0])
        world.node.look_again()
        done = await ended(world, "Failed")
        assert done["failed"] == 3
        await world.until(lambda: [name_of(pod) for pod in world.list(PODS)] == [bad])


async def test_what_others_write_into_the_status_stays() -> None:
    async with running_controllers() as world:
        await create(world, parallelism=2, completions=4)
        await world.until(lambda: status(world).get("ready") == 2)
        own = {"type": "Custom", "status": "True", "lastTransitionTime": "2026-05-01T12:00:00Z"}
        await world.client.patch(JOBS, "work", {"status": {"conditions": [own]}}, "default", subresource="status")
        world.node.ends = lambda pod: 0
        world.node.look_again()
        await ended(world, "Complete")
        assert set(conditions(world)) == {"Custom", "SuccessCriteriaMet", "Complete"}


async def test_more_at_once_or_fewer() -> None:
    async with running_controllers() as world:
        await create(world, parallelism=1, completions=4)
        await world.until(lambda: status(world).get("ready") == 1)
        await world.client.patch(JOBS, "work", {"spec": {"parallelism": 3}}, "default")
        await world.until(lambda: status(world).get("ready") == 3)
        await world.client.patch(JOBS, "work", {"spec": {"parallelism": 1}}, "default")
        await world.until(lambda: len(world.list(PODS)) == 1 and status(world).get("active") == 1)
        assert not status(world).get("failed"), "pods that are given up do not count"


async def test_deleted_with_and_without_its_pods() -> None:
    async with running_controllers() as world:
        for policy, left in (("Background", 0), ("Foreground", 0), (None, 1)):
            await create(world)
            await world.until(lambda: status(world).get("ready") == 1)
            await world.client.delete(JOBS, "work", "default", {"propagationPolicy": policy} if policy else None)
            await world.until(lambda left=left: world.get(JOBS, "work") is None and len(world.list(PODS)) == left)
        await world.until(lambda: not tracked(world))
        await world.until(lambda: not world.list(PODS)[0]["metadata"].get("ownerReferences"))
