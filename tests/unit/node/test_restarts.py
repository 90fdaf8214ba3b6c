"""Rules by exit code, and the restart of all containers of a pod in place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from skerry.engine.node.pods.plan import Kill, Plan, Release, Start, plan
from skerry.engine.node.pods.state import ContainerRecord, PodView
from skerry.engine.node.status.pod_status import pod_status
from skerry.kube.objects import Obj
from tests.unit.node.views import container, exited, pod, record, view


def ruled(name: str, action: str = "RestartAllContainers", operator: str = "In", **more: Any) -> Obj:
    rule = {"action": action, "exitCodes": {"operator": operator, "values": [42]}}
    return container(name, **{"restartPolicy": "Never", "restartPolicyRules": [rule], **more})


def of_round(number: int, one: ContainerRecord) -> ContainerRecord:
    return replace(one, round=number)


@pytest.mark.parametrize(
    ("operator", "code", "restarts"),
    [("In", 42, True), ("In", 1, False), ("NotIn", 42, False), ("NotIn", 1, True)],
)
def test_a_rule_restarts_what_the_policy_would_not(operator: str, code: int, restarts: bool) -> None:
    found = plan(view(pod(ruled("main", "Restart", operator)), exited(code=code)))
    assert found.actions == ((Start("main", 1),) if restarts else (Release(),))


def everything(*records: ContainerRecord) -> PodView:
    """A pod with an init container, a sidecar, the container whose exit 42 restarts all, and another one."""
    init = [container("init"), container("side", restartPolicy="Always")]
    return view(pod(ruled("source"), container("other"), init=init, restartPolicy="Never"), *records)


def test_an_exit_may_restart_all_containers() -> None:
    done, side, other = exited("init"), record("side"), record("other")
    before = everything(done, side, exited("source", 42), other)
    decided = plan(before).actions
    assert [(kill.record.name, kill.grace) for kill in decided if isinstance(kill, Kill)] == [("side", 0), ("other", 0)]
    told = {each["type"]: each["status"] for each in pod_status(before, ("10.0.0.1",))["conditions"]}
    assert told["AllContainersRestarting"] == "True"
    assert pod_status(before, ("10.0.0.1",))["phase"] == "Running"


def test_a_new_round_begins_with_the_init_containers() -> None:
    over = (exited("init"), exited("side", 137), exited("source", 42), exited("other", 137))
    assert plan(everything(*over)).actions == (Start("init", 1, round=1),)
    again = of_round(1, exited("init", attempt=1))
    assert plan(everything(*over, again)).actions == (Start("side", 1, round=1),)
    side = of_round(1, record("side", attempt=1))
    assert plan(everything(*over, again, side)).actions == (Start("source", 1, round=1), Start("other", 1, round=1))
    assert pod_status(everything(*over, again, side), ("10.0.0.1",))["phase"] == "Running"


def test_a_pod_that_restarts_has_not_failed() -> None:
    init = [ruled("source", restartPolicy="Always")]
    again = of_round(1, record("source", attempt=1))
    waiting = view(pod(container("regular"), init=init, restartPolicy="Never"), exited("regular", 137), again)
    assert plan(waiting).actions == (Start("regular", 1, round=1),)
    assert pod_status(waiting, ("10.0.0.1",))["phase"] == "Running"


def test_a_round_ends_when_everything_runs_again() -> None:
    fresh = [of_round(1, record(name, attempt=1)) for name in ("side", "source", "other")]
    olds = [exited("init"), exited("side", 137), exited("source", 42), exited("other", 42)]
    running = everything(*olds, of_round(1, exited("init", attempt=1)), *fresh)
    assert plan(running) == Plan()
    told = {each["type"]: each["status"] for each in pod_status(running, ("10.0.0.1",))["conditions"]}
    assert told["AllContainersRestarting"] == "False"
    plain = pod_status(view(pod(), record()), ("10.0.0.1",))
    assert "AllContainersRestarting" not in {each["type"] for each in plain["conditions"]}


def test_a_second_round() -> None:
    first = [of_round(1, record("side", attempt=1)), of_round(1, exited("init", attempt=1))]
    again = [of_round(1, exited("source", 42, attempt=1)), of_round(1, exited("other", attempt=1))]
    assert [type(each) for each in plan(everything(*first, *again)).actions] == [Kill]
    over = [of_round(1, exited("side", 137, attempt=1)), first[1], *again]
    assert plan(everything(*over)).actions == (Start("init", 2, round=2),)


def test_an_init_container_that_failed_before_does_not_end_the_pod() -> None:
    init = [container("first"), ruled("second")]
    waiting = view(pod(init=init, restartPolicy="Never"), exited("first"), exited("second", 42))
    assert plan(waiting).actions == (Start("first", 1, round=1),)
    assert pod_status(waiting, ("10.0.0.1",))["phase"] == "Pending"
