"""Which events simulated nodes tell of pods, case by case."""

from __future__ import annotations

from skerry.kube.objects import Obj
from skerry.testing.rule import Moment, status_of
from skerry.testing.telling import told_of_end, told_of_start

MOMENT = Moment("2026-11-22T10:00:00Z", "10.96.0.7", "127.0.0.1")


def pod(**annotations: str) -> Obj:
    named = {f"testing.skerry.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    spec = {"containers": [{"name": "c", "image": "i:1"}], "initContainers": [{"name": "before", "image": "j:2"}]}
    return {"metadata": {"name": "p", "namespace": "default", "uid": "u", "annotations": named}, "spec": spec}


def reported(pod: Obj) -> Obj:
    return {**pod, "status": status_of(pod, MOMENT)}


def test_containers_that_start_are_told_of_once_and_init_containers_first() -> None:
    told = [(one.field_path, one.reason, one.message) for one in told_of_start(pod(), status_of(pod(), MOMENT))]
    assert told == [
        ("spec.initContainers{before}", "Pulled", 'Container image "j:2" already present on machine'),
        ("spec.initContainers{before}", "Created", "Container created"),
        ("spec.initContainers{before}", "Started", "Container started"),
        ("spec.containers{c}", "Pulled", 'Container image "i:1" already present on machine'),
        ("spec.containers{c}", "Created", "Container created"),
        ("spec.containers{c}", "Started", "Container started"),
    ]
    there = reported(pod())
    assert not list(told_of_start(there, status_of(there, MOMENT)))


def test_containers_that_ended_or_crash_have_started() -> None:
    for code in ("0", "3"):
        one = pod(exit_code=code)
        assert [told.reason for told in told_of_start(one, status_of(one, MOMENT))].count("Started") == 2


def test_containers_that_wait_are_told_of_when_they_start() -> None:
    waits = reported(pod(waiting="ImagePullBackOff"))
    assert not [told for told in told_of_start({**waits, "status": {}}, waits["status"]) if "{c}" in told.field_path]
    runs = {**waits, "metadata": pod()["metadata"]}
    told = [one.reason for one in told_of_start(runs, status_of(runs, MOMENT))]
    assert told == ["Pulled", "Created", "Started"]


def test_what_runs_is_told_of_when_the_pod_is_deleted() -> None:
    told = [(one.field_path, one.reason, one.message) for one in told_of_end(reported(pod()))]
    assert told == [("spec.containers{c}", "Killing", "Stopping container c")]
    assert not list(told_of_end(reported(pod(waiting="ImagePullBackOff"))))
    assert not list(told_of_end(pod()))
