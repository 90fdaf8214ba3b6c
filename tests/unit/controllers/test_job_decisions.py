"""What a Job decides: verdicts, pods to create and to give up, back-off, exact counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.job.backoff import Backoff
from skerry.engine.controllers.job.counting import count_ended, settled
from skerry.engine.controllers.job.facts import COMPLETION_INDEX, FINALIZER, INDEX_FAILURES
from skerry.engine.controllers.job.failure_policy import handling
from skerry.engine.controllers.job.plan import Plan, plan
from skerry.engine.controllers.job.pod import build_pod
from skerry.engine.controllers.job.tally import Situation, tally
from skerry.engine.controllers.job.ttl import seconds_left
from skerry.engine.controllers.job.verdict import Verdict, verdict
from skerry.kube.objects import Obj, name_of, uid_of
from tests.unit.controllers.builders import NOW, ago
from tests.unit.controllers.builders import pod as any_pod

DEFAULTS = {"parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed"}


def job(status: Obj | None = None, **spec: Any) -> Obj:
    template = {"metadata": {}, "spec": {"restartPolicy": "Never", "containers": [{"name": "app"}]}}
    metadata = {"name": "work", "namespace": "ns", "uid": "uid-work"}
    return {"metadata": metadata, "spec": {**DEFAULTS, "template": template, **spec}, "status": status or {}}


def pod(name: str, phase: str = "Running", index: int | None = None, **fields: Any) -> Obj:
    annotations = {} if index is None else {COMPLETION_INDEX: str(index)}
    annotations |= {INDEX_FAILURES: str(fields.pop("failures"))} if "failures" in fields else {}
    made = any_pod(name, phase=phase, ready=phase == "Running", annotations=annotations, **fields)
    made["metadata"]["finalizers"] = [FINALIZER]
    return made


def ended(name: str, code: int, **fields: Any) -> Obj:
    made = pod(name, "Failed" if code else "Succeeded", **fields)
    state = {"terminated": {"exitCode": code, "finishedAt": ago(fields.get("ready_for", 0))}}
    made["status"]["containerStatuses"] = [{"name": "app", "state": state}]
    return made


def situation(of: Obj, *pods: Obj, backoff: Backoff | None = None) -> Situation:
    return Situation(of, pods, frozenset(), backoff or Backoff(), NOW)


def planned(of: Obj, *pods: Obj, **known: Any) -> Plan:
    case = situation(of, *pods, **known)
    return plan(case, tally(case))


def decided(of: Obj, *pods: Obj) -> Verdict | None:
    case = situation(of, *pods)
    return verdict(case, tally(case))


@pytest.mark.parametrize(
    ("spec", "pods", "created"),
    [
        ({"completions": 5, "parallelism": 3}, [], 3),
        ({"completions": 5, "parallelism": 3}, [pod("a")], 2),
        ({"completions": 2, "parallelism": 3}, [ended("a", 0)], 1),
        ({"parallelism": 3}, [], 3),  # a work queue
        ({"parallelism": 3}, [ended("a", 0), pod("b")], 0),  # one is done: no more are started
        ({"completions": 1}, [pod("a", deleting=True)], 1),
        ({"completions": 1, "podReplacementPolicy": "Failed"}, [pod("a", deleting=True)], 0),
        ({"completions": 1, "suspend": True}, [], 0),
    ],
)
def test_how_many_are_created(spec: Obj, pods: list[Obj], created: int) -> None:
    backoff = Backoff()
    decided = planned(job(**spec), *pods, backoff=backoff)
    if any(one["metadata"].get("deletionTimestamp") for one in pods) and created:
        assert decided.wait, "a pod that was deleted counts as failed: its successor waits"
    else:
        assert len(decided.create) == created


def test_back_off_doubles_up_to_ten_minutes() -> None:
    for failures, wait in ((1, 10), (2, 20), (3, 40), (7, 600), (50, 600)):
        assert Backoff(failures, NOW).remaining(NOW) == wait
    assert Backoff(2, NOW - timedelta(seconds=15)).remaining(NOW) == 5
    assert Backoff().after([ended("a", 0, ready_for=1)], [ended("b", 1, ready_for=5)]) == Backoff()
    later = Backoff(3, NOW).after([ended("a", 0, ready_for=5)], [ended("b", 1, ready_for=1)])
    assert later.failures == 1, "only failures after the last success count"


def test_surplus_pods_are_given_up_the_least_advanced_first() -> None:
    going = planned(job(completions=4, parallelism=1), pod("old"), pod("new", "Pending", node=""))
    assert [name_of(one) for one in going.delete] == ["new"]
    assert len(planned(job(completions=2, parallelism=2, suspend=True), pod("a"), pod("b")).delete) == 2


def test_pods_with_the_index_of_another_or_none_are_given_up() -> None:
    indexed = job(completions=2, parallelism=2, completionMode="Indexed")
    going = planned(indexed, pod("a", index=0), pod("b", "Pending", index=0), pod("c", index=7), pod("d"))
    assert {name_of(one) for one in going.delete} == {"b", "c", "d"}
    assert planned(indexed, pod("a", index=1)).create == [0]


def test_each_index_waits_for_itself() -> None:
    indexed = job(completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=2)
    failed = ended("a", 1, index=0, failures=1)
    found = planned(indexed, failed)
    assert found.create == [1, 2]
    assert found.wait == 20, "the second failure of index 0"
    case = situation(indexed, failed)
    assert not count_ended(case, tally(case), None, {}).release, "it stays until its successor has taken over its count"
    successor = build_pod(indexed, 0, failed)
    assert successor["metadata"]["annotations"][INDEX_FAILURES] == "2"


@pytest.mark.parametrize(
    ("spec", "pods", "reason"),
    [
        ({"completions": 1, "backoffLimit": 0}, [ended("a", 1)], "BackoffLimitExceeded"),
        ({"completions": 1, "backoffLimit": 1}, [ended("a", 1)], None),
        ({"completions": 1, "activeDeadlineSeconds": 5}, [], "DeadlineExceeded"),
        ({"completions": 1, "activeDeadlineSeconds": 5, "suspend": True}, [], None),
        ({"completions": 1, "activeDeadlineSeconds": 50}, [], None),
    ],
)
def test_verdicts(spec: Obj, pods: list[Obj], reason: str | None) -> None:
    found = decided(job({"startTime": ago(10)}, **spec), *pods)
    assert (found.reason if found is not None else None) == reason


def test_a_verdict_stands() -> None:
    target = {"type": "FailureTarget", "status": "True", "reason": "DeadlineExceeded", "message": "late"}
    assert decided(job({"conditions": [target]}, completions=1)) == Verdict(False, "DeadlineExceeded", "late")


@pytest.mark.parametrize(
    ("rule", "action"),
    [
        ({"onExitCodes": {"operator": "In", "values": [1, 3]}}, "Ignore"),
        ({"onExitCodes": {"operator": "NotIn", "values": [1, 3]}}, ""),
        ({"onExitCodes": {"operator": "In", "values": [3], "containerName": "other"}}, ""),
        ({"onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}, "Ignore"),
        ({"onPodConditions": [{"type": "DisruptionTarget", "status": "False"}]}, ""),
    ],
)
def test_failure_policy(rule: Obj, action: str) -> None:
    failed = ended("a", 3)
    failed["status"]["conditions"].append({"type": "DisruptionTarget", "status": "True"})
    of = job(podFailurePolicy={"rules": [{"action": "Ignore", **rule}]})
    assert handling(of, failed).action == action


@given(st.lists(st.sampled_from(["Running", "Pending", "Succeeded", "Failed"]), max_size=12), st.data())
def test_every_pod_that_ended_is_counted_once(phases: list[str], data: st.DataObject) -> None:
    """Whatever subset of finalizers goes at a time, also when a step is repeated."""
    pods = [pod(f"p{number}", phase) for number, phase in enumerate(phases)]
    of = job(completions=100, parallelism=50, backoffLimit=100)
    waiting = {uid_of(one) for one in pods}
    for _ in range(30):
        present = [one for one in pods if uid_of(one) in waiting]
        case = situation(of, *present)
        counted = count_ended(case, tally(case), None, of["status"])
        of = {**of, "status": counted.status}
        going = [uid_of(one) for one in counted.release]
        if not going:
            break
        gone = data.draw(st.sets(st.sampled_from(going), min_size=1))
        waiting -= gone
        of = {**of, "status": settled(of["status"], waiting)}
    status = settled(of["status"], waiting)
    assert status.get("succeeded", 0) == phases.count("Succeeded")
    assert status.get("failed", 0) == phases.count("Failed")
    assert not status["uncountedTerminatedPods"]


def test_no_more_are_counted_at_once_than_fit_into_a_status() -> None:
    case = situation(job(completions=1000, parallelism=1000), *(ended(f"p{n}", 0) for n in range(600)))
    counted = count_ended(case, tally(case), None, {})
    assert (len(counted.release), counted.all) == (500, False)


def test_time_to_live() -> None:
    over = {"type": "Complete", "status": "True", "lastTransitionTime": ago(10)}
    assert seconds_left(job({"conditions": [over]}, ttlSecondsAfterFinished=30), NOW) == 20
    assert seconds_left(job({"conditions": [over]}, ttlSecondsAfterFinished=5), NOW) == 0
    assert seconds_left(job({"conditions": [over]}), NOW) is None
    assert seconds_left(job(ttlSecondsAfterFinished=5), NOW) is None
