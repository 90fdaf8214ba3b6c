"""Helm 4: hooks by weight, Jobs as hooks, delete policies, `helm test`, and waiting for what a chart contains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.helm import Helm, make_chart
from tests.support.raw_api import RawApi
from tests.support.waiting import WITHIN

WAITING = ("--wait", WITHIN)


def hook(name: str, event: str, *, weight: int = 0, delete: str = "", code: int = 0) -> str:
    """A hook that is a Job; it ends with `code`."""
    return f"""
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  annotations:
    helm.sh/hook: {event}
    helm.sh/hook-weight: "{weight}"
    {f"helm.sh/hook-delete-policy: {delete}" if delete else ""}
spec:
  backoffLimit: 0
  template:
    metadata: {{annotations: {{testing.skerry.dev/exit-code: "{code}"}}}}
    spec: {{restartPolicy: Never, containers: [{{name: main, image: i}}]}}
---
"""


def pod_of_a_test(name: str, code: int = 0) -> str:
    """A pod of `helm test`."""
    return f"""
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  annotations: {{helm.sh/hook: test, testing.skerry.dev/exit-code: "{code}"}}
spec: {{restartPolicy: Never, containers: [{{name: main, image: i}}]}}
---
"""


PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n---\n"


def _items(api: RawApi, path: str) -> list[Any]:
    code, answer = api.call("GET", path)
    assert code == 200, answer
    items: list[Any] = answer["items"]
    return items


def _begun(api: RawApi, helm: Helm) -> list[str]:
    """Names of the Jobs in the order in which their pods were created, from the events' revisions."""
    events = _items(api, f"/api/v1/namespaces/{helm.namespace}/events")
    made = [one for one in events if one["reason"] == "SuccessfulCreate" and one["involvedObject"]["kind"] == "Job"]
    made.sort(key=lambda one: int(one["metadata"]["resourceVersion"]))
    return [one["involvedObject"]["name"] for one in made]


def test_jobs_as_hooks_run_by_weight_around_every_step(helm: Helm, tmp_path: Path, api: RawApi) -> None:
    hooks = (
        hook("second", "pre-install", weight=5),
        hook("first", "pre-install", weight=-5),
        hook("after", "post-install"),
        hook("before-upgrade", "pre-upgrade"),
        hook("after-upgrade", "post-upgrade"),
        hook("before-rollback", "pre-rollback"),
        hook("after-rollback", "post-rollback"),
        hook("before-end", "pre-delete"),
        hook("after-end", "post-delete"),
    )
    chart = str(make_chart(tmp_path, {"templates/all.yaml": PLAIN + "".join(hooks)}))
    helm("install", "app", chart, *WAITING)
    assert _begun(api, helm) == ["first", "second", "after"]
    helm("upgrade", "app", chart, *WAITING)
    assert _begun(api, helm)[3:] == ["before-upgrade", "after-upgrade"]
    helm("rollback", "app", *WAITING)
    assert _begun(api, helm)[5:] == ["before-rollback", "after-rollback"]
    assert "kind: Job" in helm("get", "hooks", "app")
    helm("uninstall", "app", *WAITING)
    assert _begun(api, helm)[7:] == ["before-end", "after-end"]


def test_delete_policies(helm: Helm, tmp_path: Path, api: RawApi) -> None:
    every = "pre-install,pre-upgrade"
    hooks = (
        hook("replaced", every, delete="before-hook-creation"),
        hook("gone", every, delete="hook-succeeded"),
        hook("either", every, delete='"hook-succeeded,hook-failed"'),
    )
    chart = str(make_chart(tmp_path, {"templates/all.yaml": PLAIN + "".join(hooks)}))
    jobs = f"/apis/batch/v1/namespaces/{helm.namespace}/jobs"
    helm("install", "app", chart, *WAITING)
    (first,) = _items(api, jobs)
    assert first["metadata"]["name"] == "replaced"
    helm("upgrade", "app", chart, *WAITING)
    (second,) = _items(api, jobs)
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert _items(api, f"/api/v1/namespaces/{helm.namespace}/pods") != []


def test_a_hook_that_fails_stops_the_installation(helm: Helm, tmp_path: Path, api: RawApi) -> None:
    failing = hook("check", "pre-install", code=1, delete="hook-succeeded")
    chart = str(make_chart(tmp_path, {"templates/all.yaml": PLAIN + failing}))
    said = helm.fails("install", "app", chart, *WAITING)
    assert "failed pre-install" in said
    assert helm.history("app") == [(1, "failed")]
    assert api.call("GET", f"/api/v1/namespaces/{helm.namespace}/configmaps/plain")[0] == 404
    (kept,) = _items(api, f"/apis/batch/v1/namespaces/{helm.namespace}/jobs")
    assert kept["status"]["failed"] == 1
    helm("install", "other", chart, "--no-hooks", *WAITING)
    assert helm.history("other") == [(1, "deployed")]


def test_a_hook_that_fails_rolls_an_upgrade_back(helm: Helm, tmp_path: Path) -> None:
    chart = make_chart(tmp_path, {"templates/all.yaml": PLAIN})
    helm("install", "app", str(chart), *WAITING)
    (chart / "templates" / "hook.yaml").write_text(hook("check", "post-upgrade", code=1))
    helm.fails("upgrade", "app", str(chart), "--rollback-on-failure", WITHIN)
    assert helm.history("app") == [(1, "superseded"), (2, "failed"), (3, "deployed")]


def test_tests_of_a_release(helm: Helm, tmp_path: Path) -> None:
    chart = str(make_chart(tmp_path, {"templates/all.yaml": PLAIN + pod_of_a_test("good") + pod_of_a_test("bad", 1)}))
    helm("install", "app", chart, *WAITING)
    passed = helm("test", "app", "--filter", "name=good", WITHIN)
    assert "TEST SUITE:     good" in passed
    assert "Phase:          Succeeded" in passed
    failed = helm.attempt("test", "app", WITHIN)
    assert failed.returncode != 0
    assert "Phase:          Failed" in failed.stdout


def test_waiting_for_jobs(helm: Helm, tmp_path: Path) -> None:
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: load}\nspec: {backoffLimit: 0, template: %s}\n"
    template = "{metadata: {annotations: {testing.skerry.dev/%s}}, spec: {restartPolicy: Never, containers: [%s]}}"
    container = "{name: c, image: i}"
    ends = job % (template % ('exit-code: "0"', container))
    fails = job % (template % ('exit-code: "1"', container))
    hangs = job % (template % ("waiting: ImagePullBackOff", container))
    for name, content in (("ends", ends), ("fails", fails), ("hangs", hangs)):
        make_chart(tmp_path, {"templates/job.yaml": content.replace("name: load", f"name: {name}")}, name)
    helm("install", "ends", str(tmp_path / "ends"), "--wait-for-jobs", *WAITING)
    helm("install", "hangs", str(tmp_path / "hangs"), *WAITING)
    helm.fails("upgrade", "hangs", str(tmp_path / "hangs"), "--wait", "--wait-for-jobs", "--timeout=1s")
    assert "Job" in helm.fails("install", "fails", str(tmp_path / "fails"), "--wait-for-jobs", *WAITING)
