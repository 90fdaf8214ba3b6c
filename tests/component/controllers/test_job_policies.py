"""Jobs that are more than a number of pods: indexes, policies, limits, suspension, deadlines, time to live."""

from __future__ import annotations

import asyncio

from skerry.engine.controllers.job.facts import COMPLETION_INDEX, index_of
from skerry.kube.objects import Obj, annotations_of, is_deleting, labels_of, name_of
from skerry.kube.resources import JOBS, PODS
from tests.component.controllers.jobs import conditions, create, ended, indexes, job, status, tracked
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers

EXIT_42 = {"onExitCodes": {"operator": "In", "values": [42]}}


def index(pod: Obj) -> int:
    found = index_of(pod)
    assert found is not None
    return found


async def test_indexed_pods_know_their_number() -> None:
    async with running_controllers() as world:
        await create(world, completions=3, parallelism=3, completionMode="Indexed")
        await world.until(lambda: status(world).get("ready") == 3)
        assert indexes(world) == [0, 1, 2]
        pod = next(pod for pod in world.list(PODS) if index(pod) == 1)
        assert name_of(pod).startswith("work-1-")
        assert (pod["spec"]["hostname"], labels_of(pod)[COMPLETION_INDEX]) == ("work-1", "1")
        (variable,) = pod["spec"]["containers"][0]["env"]
        assert variable["name"] == "JOB_COMPLETION_INDEX"
        path = f"metadata.labels['{COMPLETION_INDEX}']"
        assert variable["valueFrom"]["fieldRef"] == {"apiVersion": "v1", "fieldPath": path}
        world.node.ends = lambda pod: 0 if index(pod) != 1 else None
        world.node.look_again()
        await world.until(lambda: status(world).get("completedIndexes") == "0,2")
        assert status(world)["succeeded"] == 2
        world.node.ends = lambda pod: 0
        world.node.look_again()
        assert (await ended(world, "Complete"))["completedIndexes"] == "0-2"


async def test_every_index_has_its_own_limit() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: index(pod) % 2
        await create(world, completions=4, parallelism=4, completionMode="Indexed", backoffLimitPerIndex=0)
        done = await ended(world, "Failed")
        assert conditions(world)["Failed"] == "FailedIndexes"
        assert (done["completedIndexes"], done["failedIndexes"]) == ("0,2", "1,3")
        assert (done["succeeded"], done["failed"]) == (2, 2)
        assert {annotations_of(pod)["batch.kubernetes.io/job-index-failure-count"] for pod in world.list(PODS)} == {"0"}


async def test_too_many_failed_indexes() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 1
        limits = {"backoffLimitPerIndex": 0, "maxFailedIndexes": 0}
        await create(world, completions=4, parallelism=1, completionMode="Indexed", **limits)
        await ended(world, "Failed")
        assert conditions(world)["Failed"] == "MaxFailedIndexesExceeded"


async def test_an_exit_code_fails_the_job() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 42
        await create(world, podFailurePolicy={"rules": [{"action": "FailJob", **EXIT_42}]})
        await ended(world, "Failed")
        assert conditions(world) == {"FailureTarget": "PodFailurePolicy", "Failed": "PodFailurePolicy"}
        (pod,) = world.list(PODS)
        what = f"Container app for pod default/{name_of(pod)} failed with exit code 42 matching FailJob rule at index 0"
        await world.until(lambda: world.events("PodFailurePolicy") == [what])


async def test_a_failure_that_does_not_count() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 0 if len(world.list(PODS)) > 1 else 42
        policy = {"rules": [{"action": "Ignore", **EXIT_42}]}
        await create(world, backoffLimit=0, podFailurePolicy=policy)
        await world.until(lambda: world.list(PODS) and not tracked(world))
        assert not status(world).get("failed")
        assert "Failed" not in conditions(world), "its successor comes after the back-off"


async def test_an_exit_code_fails_the_index() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 42 if index(pod) == 0 else 0
        policy = {"rules": [{"action": "FailIndex", **EXIT_42}]}
        spec = {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 5}
        await create(world, podFailurePolicy=policy, **spec)
        done = await ended(world, "Failed")
        assert (done["failedIndexes"], done["completedIndexes"]) == ("0", "1")


async def test_enough_successes_by_policy() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 0 if index(pod) == 1 else None
        rules = {"rules": [{"succeededIndexes": "1-2", "succeededCount": 1}]}
        await create(world, completions=3, parallelism=3, completionMode="Indexed", successPolicy=rules)
        done = await ended(world, "Complete")
        assert conditions(world) == {"SuccessCriteriaMet": "SuccessPolicy", "Complete": "SuccessPolicy"}
        assert (done["completedIndexes"], done["succeeded"], done.get("failed")) == ("1", 1, None)
        await world.until(lambda: len(world.list(PODS)) == 1)


async def test_suspended_and_resumed() -> None:
    async with running_controllers() as world:
        await create(world, parallelism=2, completions=2, suspend=True)
        await world.until(lambda: conditions(world) == {"Suspended": "JobSuspended"})
        assert not world.list(PODS)
        assert "startTime" not in status(world)
        change = {"spec": {"suspend": False, "template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}}
        await world.client.patch(JOBS, "work", change, "default")
        await world.until(lambda: len(world.list(PODS)) == 2)
        assert all(pod["spec"]["nodeSelector"] == {"disk": "ssd"} for pod in world.list(PODS))
        await world.until(lambda: not conditions(world) and status(world).get("startTime"))
        await world.client.patch(JOBS, "work", {"spec": {"suspend": True}}, "default")
        await world.until(lambda: not world.list(PODS) and not status(world).get("active"))
        assert conditions(world) == {"Suspended": "JobSuspended"}
        assert not status(world).get("failed"), "pods that are given up do not count"
        await world.until(lambda: world.events("Suspended") and world.events("Resumed"))


async def test_a_deadline() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        await create(world, activeDeadlineSeconds=1)
        await world.until(lambda: status(world).get("ready") == 1)
        clock.advance(1)
        done = await ended(world, "Failed")
        assert (conditions(world)["Failed"], done["failed"]) == ("DeadlineExceeded", 1)


async def test_deleted_some_time_after_its_end() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        world.node.ends = lambda pod: 0
        await create(world, ttlSecondsAfterFinished=1)
        await ended(world, "Complete")
        clock.advance(1)
        await world.until(lambda: world.get(JOBS, "work") is None and not world.list(PODS))


async def test_replaced_only_when_it_has_ended() -> None:
    async with running_controllers() as world:
        world.node.stops = lambda pod: False
        await create(world, podReplacementPolicy="Failed")
        await world.until(lambda: status(world).get("ready") == 1)
        await world.client.delete(PODS, name_of(world.list(PODS)[0]), "default")
        await world.until(lambda: status(world).get("terminating") == 1)
        await world.settle()
        assert len(world.list(PODS)) == 1
        assert not status(world).get("failed")
        world.node.stops = lambda pod: True
        world.node.look_again()
        await world.until(lambda: status(world).get("failed") == 1)


async def test_a_pod_that_never_ran_fails_when_it_is_deleted() -> None:
    async with running_controllers(register=False) as world:
        await create(world, podReplacementPolicy="Failed")
        await world.until(lambda: world.list(PODS))
        await world.client.delete(PODS, name_of(world.list(PODS)[0]), "default")
        await world.until(lambda: status(world).get("failed") == 1)


async def test_restarts_count_as_failures() -> None:
    async with running_controllers() as world:
        await create(world, restart="OnFailure", backoffLimit=2)
        await world.until(lambda: status(world).get("ready") == 1)
        (pod,) = world.list(PODS)
        container = {"name": "app", "image": "app:1", "imageID": "", "ready": True, "restartCount": 2}
        change = {"status": {"containerStatuses": [container]}}
        await world.client.patch(PODS, name_of(pod), change, "default", subresource="status")
        await ended(world, "Failed")
        assert conditions(world)["Failed"] == "BackoffLimitExceeded"


async def test_somebody_elses_job_is_left_alone() -> None:
    async with running_controllers() as world:
        await create(world, managedBy="example.com/queue")
        await world.settle()
        assert not world.list(PODS)
        assert not status(world)


async def test_adopted_and_released() -> None:
    async with running_controllers() as world:
        await create(world)
        await world.until(lambda: status(world).get("ready") == 1)
        (pod,) = world.list(PODS)
        await world.client.patch(PODS, name_of(pod), {"metadata": {"ownerReferences": []}}, "default")
        await world.until(lambda: owners(world, name_of(pod)) == ["work"] and tracked(world) == 1)
        gone = dict.fromkeys(labels_of(pod))
        await world.client.patch(PODS, name_of(pod), {"metadata": {"labels": gone}}, "default")
        await world.until(lambda: owners(world, name_of(pod)) == [] and len(world.list(PODS)) == 2)
        await world.until(lambda: tracked(world) == 1)


def owners(world: World, name: str) -> list[str]:
    pod = world.get(PODS, name) or {"metadata": {}}
    return [one["name"] for one in pod["metadata"].get("ownerReferences") or ()]


async def test_a_pod_removed_by_hand_is_replaced_and_counted() -> None:
    async with running_controllers() as world:
        await create(world, backoffLimit=5)
        await world.until(lambda: status(world).get("ready") == 1)
        first = name_of(world.list(PODS)[0])
        await world.client.delete(PODS, first, "default")
        await world.until(lambda: status(world).get("failed") == 1 and world.get(PODS, first) is None)


async def test_many_at_once_are_counted_exactly() -> None:
    async with running_controllers() as world:
        world.node.ends = lambda pod: 0
        await asyncio.gather(
            *(world.client.create(JOBS, job(f"many-{n}", completions=20, parallelism=7), "default") for n in range(5))
        )
        for number in range(5):
            done = await ended(world, "Complete", f"many-{number}")
            assert done["succeeded"] == 20
        made = [pod for pod in world.list(PODS) if not is_deleting(pod)]
        assert len(made) == 100, "no pod is made twice"
