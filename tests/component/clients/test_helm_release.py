"""Helm 4: a release from its installation to its end, and what becomes of it when something fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skerry.testing import Cluster
from tests.support.helm import Helm, make_chart
from tests.support.raw_api import RawApi
from tests.support.waiting import WITHIN

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {app.kubernetes.io/managed-by: Helm}}
spec:
  replicas: {{ .Values.replicas }}
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {testing.skerry.dev/waiting: "{{ .Values.waiting }}"}
    spec:
      containers: [{name: main, image: "web:{{ .Values.tag }}", env: [{name: A, value: "1"}]}]
"""
SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {tag: "{{ .Values.tag }}", revision: "{{ .Release.Revision }}"}
"""
VALUES = 'replicas: 2\ntag: "1"\nwaiting: ""\n'
WAITING = ("--wait", WITHIN)
IMPATIENT = ("--wait", "--timeout=2s")
STEP = "--timeout=15s"
"""Long enough for going back to what worked, too; what does not get ready is waited for so long."""


@pytest.fixture
def chart(tmp_path: Path) -> str:
    files = {
        "templates/web.yaml": WEB,
        "templates/settings.yaml": SETTINGS,
        "templates/NOTES.txt": "look at {{ .Release.Name }}",
    }
    return str(make_chart(tmp_path, files, values=VALUES))


@pytest.fixture
def released(helm: Helm, chart: str) -> Helm:
    helm("install", "app", chart, *WAITING)
    return helm


def web(api: RawApi, helm: Helm, name: str = "app") -> Any:
    code, found = api.call("GET", f"/apis/apps/v1/namespaces/{helm.namespace}/deployments/{name}")
    return found if code == 200 else None


def settings(api: RawApi, helm: Helm) -> Any:
    code, found = api.call("GET", f"/api/v1/namespaces/{helm.namespace}/configmaps/app-settings")
    return found["data"] if code == 200 else None


def tag(api: RawApi, helm: Helm) -> str:
    image: str = web(api, helm)["spec"]["template"]["spec"]["containers"][0]["image"]
    return image.partition(":")[2]


def test_what_a_release_says_of_itself(released: Helm, chart: str) -> None:
    status = released.json("status", "app")
    assert (status["info"]["status"], status["info"]["notes"]) == ("deployed", "look at app")
    assert "kind: Deployment" in released("get", "manifest", "app")
    assert "look at app" in released("get", "notes", "app")
    assert released.json("get", "values", "app", "--all")["replicas"] == 2
    assert released.json("get", "metadata", "app")["chart"] == "app"
    assert {one["kind"] for one in _resources(status)} == {"ConfigMap", "Deployment", "PodList"}
    released("upgrade", "app", chart, "--set", "replicas=1", "--description", "smaller")
    listed = released.json("list")
    assert [(one["name"], one["revision"], one["status"]) for one in listed] == [("app", "2", "deployed")]
    assert released.json("list", "--superseded", "--filter", "nobody") == []
    assert released.json("history", "app")[-1]["description"] == "smaller"


def _resources(status: Any) -> list[Any]:
    return [one for listed in status["info"]["resources"].values() for one in listed]


def test_an_upgrade_keeps_or_resets_values_and_removes_what_the_chart_dropped(
    released: Helm, chart: str, api: RawApi
) -> None:
    released("upgrade", "app", chart, "--set", "replicas=3", *WAITING)
    released("upgrade", "app", chart, "--reuse-values", "--set", "tag=2", *WAITING)
    assert (web(api, released)["status"]["readyReplicas"], tag(api, released)) == (3, "2")
    (Path(chart) / "templates" / "settings.yaml").unlink()
    released("upgrade", "app", chart, "--reset-values", *WAITING)
    assert (web(api, released)["status"]["readyReplicas"], tag(api, released)) == (2, "1")
    assert settings(api, released) is None


def test_a_rollback_restores_also_what_was_dropped(released: Helm, chart: str, api: RawApi) -> None:
    (Path(chart) / "templates" / "settings.yaml").unlink()
    released("upgrade", "app", chart, "--set", "tag=2", *WAITING)
    released("rollback", "app", *WAITING)
    assert settings(api, released) == {"tag": "1", "revision": "1"}
    assert tag(api, released) == "1"
    assert released.history("app") == [(1, "superseded"), (2, "superseded"), (3, "deployed")]


def test_an_uninstalled_release_is_gone_or_kept_as_history(released: Helm, chart: str, api: RawApi) -> None:
    released("uninstall", "app", "--keep-history", "--wait")
    assert web(api, released) is None
    assert released.history("app") == [(1, "uninstalled")]
    released("install", "app", chart, "--replace", *WAITING)
    released("uninstall", "app", "--wait", "--cascade", "foreground")
    assert released.json("list") == []
    _, secrets = api.call("GET", f"/api/v1/namespaces/{released.namespace}/secrets")
    assert secrets["items"] == []


@pytest.mark.parametrize("server_side", ["true", "false"])
def test_an_upgrade_that_does_not_get_ready_is_rolled_back(
    released: Helm, chart: str, api: RawApi, server_side: str
) -> None:
    stuck = ("--set", "tag=2,waiting=ImagePullBackOff", f"--server-side={server_side}")
    said = released.fails("upgrade", "app", chart, *stuck, "--rollback-on-failure", STEP)
    assert "rolled back due to rollback-on-failure being set" in said
    assert released.history("app") == [(1, "superseded"), (2, "failed"), (3, "deployed")]
    assert (tag(api, released), settings(api, released)["tag"]) == ("1", "1")


def test_an_upgrade_that_is_refused_is_rolled_back(released: Helm, chart: str, api: RawApi) -> None:
    refused = released.fails("upgrade", "app", chart, "--set", "replicas=-1", "--rollback-on-failure", WITHIN)
    assert "spec.replicas: Invalid value: -1: must be greater than or equal to 0" in refused
    assert released.history("app")[1:] == [(2, "failed"), (3, "deployed")]
    assert web(api, released)["spec"]["replicas"] == 2


def test_a_failed_upgrade_stays_failed_without_a_rollback(released: Helm, chart: str, api: RawApi) -> None:
    said = released.fails("upgrade", "app", chart, "--set", "tag=2,waiting=ImagePullBackOff", *IMPATIENT)
    assert "Deployment" in said
    assert released.history("app") == [(1, "deployed"), (2, "failed")]
    released("upgrade", "app", chart, "--set", "tag=3", "--cleanup-on-fail", *WAITING)
    assert tag(api, released) == "3"


@pytest.mark.parametrize("wait", ["watcher", "legacy"])
def test_an_installation_that_fails_is_removed(helm: Helm, chart: str, api: RawApi, wait: str) -> None:
    stuck = ("--set", "waiting=ImagePullBackOff", "--rollback-on-failure", f"--wait={wait}", STEP)
    assert "uninstalled due to rollback-on-failure being set" in helm.fails("install", "app", chart, *stuck)
    assert helm.json("list") == []
    assert web(api, helm) is None


def test_a_field_somebody_else_owns_is_a_conflict(
    released: Helm, chart: str, api: RawApi, shared_cluster: Cluster
) -> None:
    path = f"/apis/apps/v1/namespaces/{released.namespace}/deployments/app"
    taken = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"}, "spec": {"replicas": 5}}
    query = "?fieldManager=autoscaler&force=true"
    code, _ = api.call("PATCH", path + query, taken, "application/apply-patch+yaml")
    assert code == 200
    said = released.fails("upgrade", "app", chart, "--set", "replicas=3")
    assert 'conflict with "autoscaler": .spec.replicas' in said
    released("upgrade", "app", chart, "--set", "replicas=3", "--force-conflicts")
    assert web(api, released)["spec"]["replicas"] == 3


def test_what_belongs_to_nobody_or_to_another_release_is_not_taken(helm: Helm, chart: str, api: RawApi) -> None:
    configmaps = f"/api/v1/namespaces/{helm.namespace}/configmaps"
    code, _ = api.call("POST", configmaps, {"metadata": {"name": "app-settings"}, "data": {"mine": "yes"}})
    assert code == 201
    assert 'ConfigMap "app-settings"' in helm.fails("install", "app", chart)
    helm("install", "app", chart, "--take-ownership", "--force-conflicts", *WAITING)
    assert settings(api, helm)["tag"] == "1"


@pytest.mark.parametrize("into", ["true", "false"])
def test_patches_by_the_client_or_by_the_server_after_one_another(
    helm: Helm, chart: str, api: RawApi, into: str
) -> None:
    first = "false" if into == "true" else "true"
    helm("install", "app", chart, f"--server-side={first}", *WAITING)
    helm("upgrade", "app", chart, f"--server-side={into}", "--set", "tag=2", *WAITING)
    assert tag(api, helm) == "2"
    helm("rollback", "app", "1", *WAITING)
    assert tag(api, helm) == "1"


def test_replacing_by_force(released: Helm, chart: str, api: RawApi) -> None:
    released("upgrade", "app", chart, "--set", "tag=2", "--force-replace", "--server-side=false", *WAITING)
    assert tag(api, released) == "2"
