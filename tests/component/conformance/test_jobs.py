"""Kubernetes' `test/e2e/apps/{job,cronjob}.go`, as far as it does not matter what the containers do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.program import eventually
from tests.support.replay import MERGE, STRATEGIC, Refused, Replay

RUNS = {"testing.skerry.dev/waiting": "ContainerCreating"}
"""What keeps a pod of a Job from its end."""


def job(name: str, annotations: dict[str, str] | None = None, **spec: Any) -> Any:
    container = {"name": "c", "image": "busybox"}
    template = {
        "metadata": {"labels": {"job": name}, "annotations": annotations or {}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    return {"metadata": {"name": name}, "spec": {"parallelism": 2, "completions": 4, "template": template, **spec}}


def condition(client: Replay, name: str, kind: str) -> Any:
    """KeyError as long as there is none."""
    return {one["type"]: one for one in client.get("jobs", name)["status"]["conditions"]}[kind]


def pods_of(client: Replay, name: str) -> list[Any]:
    return list(client.list("pods", labelSelector=f"job={name}")["items"])


def test_indexes_and_host_names(replay: Replay) -> None:
    replay.create("jobs", job("indexed-job", completionMode="Indexed"))
    eventually(lambda: condition(replay, "indexed-job", "Complete")["status"] == "True", "completion")
    found = {}
    for one in pods_of(replay, "indexed-job"):
        index = one["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]
        assert one["status"]["phase"] == "Succeeded"
        assert one["spec"]["hostname"] == f"indexed-job-{index}"
        found[int(index)] = one
    assert sorted(found) == [0, 1, 2, 3]
    status = replay.get("jobs", "indexed-job")["status"]
    assert (status["succeeded"], status["completedIndexes"]) == (4, "0-3")
    assert condition(replay, "indexed-job", "Complete")["reason"] == "CompletionsReached"


def test_an_exit_code_fails_the_job_early(replay: Replay) -> None:
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}
    annotations = {"testing.skerry.dev/exit-code": "1"}
    replay.create("jobs", job("failjob", annotations, backoffLimit=6, podFailurePolicy={"rules": [rule]}))
    eventually(lambda: condition(replay, "failjob", "Failed")["status"] == "True", "the failure")
    assert condition(replay, "failjob", "Failed")["reason"] == "PodFailurePolicy"


def test_adopts_orphans_and_releases_pods_that_do_not_match(replay: Replay) -> None:
    replay.create("jobs", job("adopt-release", RUNS))
    eventually(lambda: len(pods_of(replay, "adopt-release")) == 2, "two pods")
    eventually(lambda: replay.get("jobs", "adopt-release")["status"]["active"] == 2, "both active")
    name = pods_of(replay, "adopt-release")[0]["metadata"]["name"]
    replay.change("pods", name, lambda now: now["metadata"].pop("ownerReferences"))

    def owner() -> Any:
        return next(iter(replay.get("pods", name)["metadata"].get("ownerReferences") or ()), {})

    eventually(lambda: owner()["name"] == "adopt-release", "adoption")
    assert (owner()["kind"], owner()["uid"]) == ("Job", replay.get("jobs", "adopt-release")["metadata"]["uid"])
    replay.change("pods", name, lambda now: now["metadata"].pop("labels"))
    eventually(lambda: not owner(), "the release")
    replay.delete("jobs", "adopt-release", {"propagationPolicy": "Background"})


def test_changes_to_the_status_of_a_job(replay: Replay) -> None:
    made = replay.create("jobs", job("status", RUNS))
    eventually(lambda: replay.get("jobs", "status")["status"]["active"] == 2, "both pods")
    moment = replay.get("jobs", "status")["status"]["startTime"]
    patch = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"startTime": moment}}
    patched = replay.patch("jobs", "status", patch, "status", MERGE)
    assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
    assert patched["status"]["startTime"] == moment
    updated = replay.change("jobs", "status", lambda now: now["status"].update(startTime=moment), "status")
    assert updated["status"]["startTime"] == moment
    assert replay.get("jobs", "status", "status")["metadata"]["uid"] == made["metadata"]["uid"]


def test_the_life_of_a_job(replay: Replay) -> None:
    chosen = {"labelSelector": "e2e-job-label=life"}
    version = replay.list("jobs", **chosen)["metadata"]["resourceVersion"]
    made = job("life", suspend=True)
    made["metadata"].update(labels={"e2e-job-label": "life"}, annotations={"made": "true"})
    with replay.watching("jobs", version, **chosen) as events:
        replay.create("jobs", made)
        replay.patch("jobs", "life", {"metadata": {"labels": {"life": "patched"}}}, kind=STRATEGIC)
        events.until("MODIFIED", lambda now: now["metadata"]["labels"].get("life") == "patched")

        def resume(now: Any) -> None:
            now["spec"]["suspend"] = False
            now["metadata"]["annotations"]["updated"] = "true"

        replay.change("jobs", "life", resume)
        events.until("MODIFIED", lambda now: now["metadata"]["annotations"].get("updated") == "true")
        assert len(replay.list("jobs", everywhere=True, **chosen)["items"]) == 1
        eventually(lambda: condition(replay, "life", "Complete")["status"] == "True", "completion")
        replay.delete_collection("jobs", {"propagationPolicy": "Background"}, **chosen)
        events.until("DELETED")
    assert not replay.list("jobs", everywhere=True, **chosen)["items"]


def test_a_job_is_deleted_with_its_pods(replay: Replay) -> None:
    replay.create("jobs", job("foo", RUNS))
    eventually(lambda: replay.get("jobs", "foo")["status"]["active"] == 2, "both pods")
    replay.delete("jobs", "foo", {"propagationPolicy": "Background"})
    eventually(lambda: not pods_of(replay, "foo"), "the end of the pods")
    with pytest.raises(Refused) as refused:
        replay.get("jobs", "foo")
    assert refused.value.status["reason"] == "NotFound"


def test_cron_job_api_operations(replay: Replay) -> None:
    """The schedule is written as the tests do, with a question mark."""
    spec = {"schedule": "*/1 * * * ?", "concurrencyPolicy": "Allow", "jobTemplate": {"spec": job("x")["spec"]}}
    chosen = {"labelSelector": "special-label=e2e"}
    for number in range(2):
        metadata = {"name": f"cron-{number}", "labels": {"special-label": "e2e"}}
        replay.create("cronjobs", {"metadata": metadata, "spec": {**spec, "suspend": True}})
    listed = replay.list("cronjobs", **chosen)
    assert len(listed["items"]) == 2
    assert len(replay.list("cronjobs", everywhere=True, **chosen)["items"]) == 2
    with replay.watching("cronjobs", listed["metadata"]["resourceVersion"], **chosen) as events:
        annotated = {"metadata": {"annotations": {"patched": "true"}}}
        assert replay.patch("cronjobs", "cron-0", annotated, kind=MERGE)["metadata"]["annotations"] == {
            "patched": "true"
        }
        replay.change("cronjobs", "cron-0", lambda now: now["metadata"]["annotations"].update(updated="true"))
        events.until("MODIFIED", lambda now: now["metadata"]["annotations"].get("updated"))
        moment = "2026-01-02T03:04:05Z"
        status = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"lastScheduleTime": moment}}
        patched = replay.patch("cronjobs", "cron-0", status, "status", MERGE)
        assert patched["status"]["lastScheduleTime"] == moment
        assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
        replay.change("cronjobs", "cron-0", lambda now: now["status"].update(lastScheduleTime=moment), "status")
        assert replay.get("cronjobs", "cron-0", "status")["kind"] == "CronJob"
        replay.delete("cronjobs", "cron-0", {"propagationPolicy": "Background"})
        events.until("DELETED")
        replay.delete_collection("cronjobs", {"propagationPolicy": "Background"}, **chosen)
        events.until("DELETED")
