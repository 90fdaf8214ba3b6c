"""Kubernetes' conformance tests of CronJobs by the machine's own clock, `test/e2e/apps/cronjob.go`, and of a conversion
webhook in a pod behind a Service, `test/e2e/apimachinery/crd_conversion_webhook.go`.

What has a minute's schedule is made first, so that minutes pass while the webhook is tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import conversion_server
from tests.support.conversion_server import NEW_SPEC, OLD_SPEC
from tests.support.definitions import NAME, definition, version
from tests.support.extension_server import issue_certificate
from tests.support.pod_python import python_container
from tests.support.pod_replays import PodReplays, container, pod_replays
from tests.support.program import Program, eventually
from tests.support.waiting import LIMIT, WITHIN

NAMESPACE = "conformance-controllers"
TWO_MINUTES = 120 + LIMIT


@pytest.fixture(scope="module")
def pods(program: Program) -> Iterator[PodReplays]:
    with pod_replays(program, NAMESPACE) as made:
        made.apply(
            cron_job("concurrent", "sleep 300"),
            cron_job("forbids", "sleep 300", concurrencyPolicy="Forbid"),
            cron_job("replaces", "sleep 300", concurrencyPolicy="Replace"),
            cron_job("suspended", "sleep 300", suspend=True),
            cron_job("succeeds", "echo done", successfulJobsHistoryLimit=1),
            cron_job("fails", "exit 1", failedJobsHistoryLimit=1),
        )
        yield made


def cron_job(name: str, script: str, **more: Any) -> Any:
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container(script)]}
    template = {"metadata": {"labels": {"cron": name}}, "spec": pod}
    job = {"metadata": {"labels": {"cron": name}}, "spec": {"backoffLimit": 0, "template": template}}
    spec = {"schedule": "*/1 * * * ?", "jobTemplate": job, **more}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}


def jobs(pods: PodReplays, name: str) -> list[Any]:
    return pods.listed("jobs", f"cron={name}")


def active(pods: PodReplays, name: str) -> set[str]:
    """The Jobs that the CronJob says are running."""
    return {one["name"] for one in pods.get(name, "cronjob").get("status", {}).get("active", ())}


def has(obj: Any, type_: str) -> bool:
    conditions = obj.get("status", {}).get("conditions", ())
    return any(one["type"] == type_ and one["status"] == "True" for one in conditions)


def told(pods: PodReplays, name: str, words: str) -> bool:
    return words in pods.kubectl("describe", "cronjob", name).stdout


@pytest.fixture
def converting(pods: PodReplays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PodReplays]:
    """Widgets in two versions, and who converts them: a Deployment behind a Service."""
    monkeypatch.setenv("KUBECACHEDIR", str(tmp_path / "kube-cache"))  # the group is there for this test alone
    certificate, key, bundle = issue_certificate(tmp_path, f"converts.{NAMESPACE}.svc")
    main, volumes = python_container(
        Path(conversion_server.__file__).resolve(), str(certificate), str(key), "9443",
        sees=[tmp_path], readinessProbe={"tcpSocket": {"port": 9443}, "periodSeconds": 1},
    )  # fmt: skip
    labels = {"app": "converts"}
    pod = {"terminationGracePeriodSeconds": 0, "containers": [main], "volumes": volumes}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    service = {"selector": labels, "ports": [{"port": 9443, "targetPort": 9443}]}
    pods.apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "converts"}, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "converts"}, "spec": service},
    )
    pods.kubectl("rollout", "status", "deployment/converts", WITHIN)
    client = {"service": {"namespace": NAMESPACE, "name": "converts", "port": 9443}, "caBundle": bundle}
    conversion = {"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}}
    versions = (version("v1", OLD_SPEC), version("v2", NEW_SPEC, storage=False))
    pods.apply(definition(*versions, conversion=conversion))
    pods.kubectl("wait", "--for=condition=Established", f"crd/{NAME}", WITHIN)
    yield pods
    pods.kubectl("delete", f"crd/{NAME}", WITHIN)


def widget(name: str, version: str, spec: Any) -> Any:
    return {"apiVersion": f"example.com/{version}", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def specs(pods: PodReplays, version: str) -> dict[str, Any]:
    """What a list at this version says."""
    path = f"/apis/example.com/{version}/namespaces/{NAMESPACE}/widgets"
    items = json.loads(pods.kubectl("get", "--raw", path).stdout)["items"]
    assert {one["apiVersion"] for one in items} == {f"example.com/{version}"}
    return {one["metadata"]["name"]: one["spec"] for one in items}


def test_custom_resources_are_converted_by_a_pod(converting: PodReplays) -> None:
    """One by one, and a list of objects that were stored at different versions."""
    converting.apply(widget("first", "v1", {"hostPort": "localhost:8080"}))
    found = converting.get("first", "widgets.v2.example.com")
    assert (found["apiVersion"], found["spec"]) == ("example.com/v2", {"host": "localhost", "port": "8080"})
    versions = [version("v1", OLD_SPEC, storage=False), version("v2", NEW_SPEC)]
    converting.kubectl("patch", f"crd/{NAME}", "--type=merge", "-p", json.dumps({"spec": {"versions": versions}}))
    converting.apply(widget("second", "v2", {"host": "other", "port": "1"}))
    new = {"first": {"host": "localhost", "port": "8080"}, "second": {"host": "other", "port": "1"}}
    old = {"first": {"hostPort": "localhost:8080"}, "second": {"hostPort": "other:1"}}
    assert (specs(converting, "v2"), specs(converting, "v1")) == (new, old)


def test_without_its_pod_nothing_is_converted_and_the_reason_is_said(converting: PodReplays) -> None:
    converting.apply(widget("first", "v1", {"hostPort": "localhost:8080"}))
    converting.kubectl("scale", "deployment/converts", "--replicas=0")
    words = ("get", "widgets.v2.example.com/first")
    eventually(lambda: "conversion webhook for" in converting.kubectl(*words, check=False).stderr, "the refusal")
    assert converting.get("first", "widgets.v1.example.com")["spec"] == {"hostPort": "localhost:8080"}
    converting.kubectl("scale", "deployment/converts", "--replicas=1")
    eventually(lambda: converting.get("first", "widgets.v2.example.com")["spec"]["port"] == "8080", "it is back")


@pytest.mark.timeout(2 * TWO_MINUTES)
def test_jobs_run_side_by_side(pods: PodReplays) -> None:
    eventually(lambda: len(active(pods, "concurrent")) >= 2, "two at once", TWO_MINUTES)
    names = active(pods, "concurrent")
    eventually(lambda: len(pods.listed("pods", "cron=concurrent")) >= 2, "their pods")
    assert all(name.startswith("concurrent-") for name in names)


@pytest.mark.timeout(2 * TWO_MINUTES)
def test_a_job_is_not_joined_by_another(pods: PodReplays) -> None:
    eventually(lambda: told(pods, "forbids", "JobAlreadyActive"), "the second minute", TWO_MINUTES)
    assert len(jobs(pods, "forbids")) == 1


@pytest.mark.timeout(2 * TWO_MINUTES)
def test_a_job_is_replaced(pods: PodReplays) -> None:
    eventually(lambda: told(pods, "replaces", "Deleted job replaces-"), "the second minute", TWO_MINUTES)
    eventually(lambda: len(jobs(pods, "replaces")) == 1 == len(active(pods, "replaces")), "one job")


@pytest.mark.timeout(2 * TWO_MINUTES)
@pytest.mark.parametrize(("name", "condition"), [("succeeds", "Complete"), ("fails", "Failed")])
def test_of_those_that_ended_one_is_kept(pods: PodReplays, name: str, condition: str) -> None:
    eventually(lambda: told(pods, name, f"Deleted job {name}-"), "the second one's end", TWO_MINUTES)

    def ended() -> list[Any]:
        return [one for one in jobs(pods, name) if has(one, condition)]

    eventually(lambda: len(ended()) == 1, "one that ended")
    assert bool(pods.get(name, "cronjob")["status"].get("lastSuccessfulTime")) is (name == "succeeds")


@pytest.mark.timeout(2 * TWO_MINUTES)
def test_nothing_runs_while_it_is_suspended(pods: PodReplays) -> None:
    eventually(lambda: len(jobs(pods, "concurrent")) >= 2, "two minutes", TWO_MINUTES)
    assert jobs(pods, "suspended") == []


@pytest.mark.timeout(2 * TWO_MINUTES)
def test_a_job_that_was_deleted_is_active_no_more(pods: PodReplays) -> None:
    (name,) = eventually(lambda: active(pods, "forbids"), "a job", TWO_MINUTES)
    pods.kubectl("delete", f"job/{name}", WITHIN)
    eventually(lambda: name not in active(pods, "forbids"), "the list without it")
