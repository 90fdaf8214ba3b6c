"""The stated rule of simulated pods, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.kube.objects import Obj
from skerry.testing.rule import Moment, status_of, stopped_status

MOMENT = Moment("2026-11-22T10:00:00Z", "10.96.0.7", "127.0.0.1")
LATER = Moment("2026-11-22T11:00:00Z", "10.96.0.7", "127.0.0.1")


def pod(policy: str = "Always", owner: str = "", **annotations: str) -> Obj:
    named = {f"testing.skerry.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    metadata: Obj = {"name": "p", "namespace": "default", "uid": "u", "annotations": named}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner, "name": "o", "controller": True}]
    return {"metadata": metadata, "spec": {"restartPolicy": policy, "containers": [{"name": "c", "image": "i:1"}]}}


def condition(status: Obj, type_: str) -> Any:
    return next(one["status"] for one in status["conditions"] if one["type"] == type_)


def test_a_pod_runs_and_is_ready() -> None:
    status = status_of(pod(), MOMENT)
    assert (status["phase"], condition(status, "Ready"), status["podIP"]) == ("Running", "True", "10.96.0.7")
    container = status["containerStatuses"][0]
    assert container["ready"]
    assert container["state"] == {"running": {"startedAt": MOMENT.now}}


def test_what_is_deleted_is_stopped_and_never_runs_again() -> None:
    status = stopped_status({**pod(), "status": status_of(pod(), MOMENT)}, LATER)
    assert (status["phase"], condition(status, "Ready"), status["podIP"]) == ("Failed", "False", "10.96.0.7")
    assert status["startTime"] == MOMENT.now
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


def test_a_pod_of_a_job_succeeds() -> None:
    status = status_of(pod("Never", owner="Job"), MOMENT)
    assert status["phase"] == "Succeeded"
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [
        ("Never", "3", "Failed"),
        ("Never", "0", "Succeeded"),
        ("OnFailure", "0", "Succeeded"),
        ("OnFailure", "3", "Running"),
        ("Always", "0", "Running"),
    ],
)
def test_exit_codes(policy: str, code: str, phase: str) -> None:
    status = status_of(pod(policy, exit_code=code), MOMENT)
    assert status["phase"] == phase
    container = status["containerStatuses"][0]
    ended = container["state"] if phase != "Running" else container["lastState"]
    assert ended["terminated"]["exitCode"] == int(code)
    assert (container["state"].get("waiting") or {}).get("reason") == (
        "CrashLoopBackOff" if phase == "Running" else None
    )


@pytest.mark.parametrize("code", ["", "-1", "256", "x", "\u0663"])
def test_an_exit_code_that_is_none_counts_as_one(code: str) -> None:
    assert (
        status_of(pod("Never", exit_code=code), MOMENT)["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
    )


def test_a_pod_that_waits() -> None:
    status = status_of(pod(waiting="ImagePullBackOff"), MOMENT)
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "ImagePullBackOff"}}


def test_readiness_changes_at_its_time_and_nothing_else_does() -> None:
    started = pod(ready="false")
    started["status"] = status_of(started, MOMENT)
    assert condition(started["status"], "Ready") == "False"
    assert status_of(started, LATER) == started["status"]
    started["metadata"]["annotations"] = {}
    ready = next(one for one in status_of(started, LATER)["conditions"] if one["type"] == "Ready")
    assert (ready["status"], ready["lastTransitionTime"]) == ("True", LATER.now)


def test_a_pod_that_ended_stays_ended() -> None:
    ended = pod("Never", exit_code="0")
    ended["status"] = status_of(ended, MOMENT)
    ended["metadata"]["annotations"] = {}
    assert status_of(ended, LATER) == ended["status"]


def test_readiness_gates_and_conditions_of_others() -> None:
    gated = pod()
    gated["spec"]["readinessGates"] = [{"conditionType": "example.com/open"}]
    gated["status"] = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    status = status_of(gated, MOMENT)
    assert (condition(status, "Ready"), condition(status, "ContainersReady")) == ("False", "True")
    assert condition(status, "PodScheduled") == "True"
    gated["status"]["conditions"].append({"type": "example.com/open", "status": "True"})
    assert condition(status_of(gated, MOMENT), "Ready") == "True"


def test_init_containers_have_succeeded_and_sidecars_run() -> None:
    made = pod()
    made["spec"]["initContainers"] = [{"name": "first"}, {"name": "side", "restartPolicy": "Always"}]
    first, side = status_of(made, MOMENT)["initContainerStatuses"]
    assert first["state"]["terminated"]["exitCode"] == 0
    assert "running" in side["state"]
