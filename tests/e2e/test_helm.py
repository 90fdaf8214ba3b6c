"""The life of a release by the real Helm 4, by server-side apply (its default) and by patches of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.program import Program, program_path
from tests.support.waiting import WITHIN

_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "busybox:test", command: [httpd, -f, -p, "8080"]}]
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (tmp_path / "chart" / "values.yaml").write_text("replicas: 1\n")
    (tmp_path / "chart" / "templates" / "all.yaml").write_text(_DEPLOYMENT)
    return tmp_path / "chart"


@pytest.mark.parametrize("server_side", [True, False], ids=["server-side", "client-side"])
def test_install_upgrade_rollback_uninstall(
    program: Program, namespace: str, chart: Path, *, server_side: bool
) -> None:
    def helm(*words: str) -> str:
        command = [program_path("helm"), "--kubeconfig", str(program.kubeconfig), "-n", namespace, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def replicas() -> int:
        return int(program.get("-n", namespace, "deployment/web")["status"]["readyReplicas"])

    def managers() -> set[tuple[str, str]]:
        shown = program.get("-n", namespace, "deployment/web", "--show-managed-fields")
        return {(each["manager"], each["operation"]) for each in shown["metadata"]["managedFields"]}

    waiting = (*(() if server_side else ("--server-side=false",)), "--wait", WITHIN)
    assert "STATUS: deployed" in helm("install", "web", str(chart), *waiting)
    assert ("helm", "Apply" if server_side else "Update") in managers()
    assert replicas() == 1
    helm("upgrade", "web", str(chart), "--set", "replicas=2", *waiting)
    assert replicas() == 2
    helm("rollback", "web", "1", *waiting)
    assert replicas() == 1
    history = json.loads(helm("history", "web", "-o", "json"))
    assert [(one["revision"], one["status"]) for one in history] == [
        (1, "superseded"),
        (2, "superseded"),
        (3, "deployed"),
    ]
    helm("uninstall", "web", "--wait")
    assert program.get("-n", namespace, "deployments")["items"] == []
