"""An application for Docker Compose, imported: the API takes its manifests, Helm its chart."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from click.testing import CliRunner

from skerry.cli.main import main
from tests.support.helm import Helm
from tests.support.program import program_path
from tests.support.raw_api import RawApi
from tests.unit.compose.reading import PIA


def skerry(*words: str) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_an_imported_application(tmp_path: Path, helm: Helm, api: RawApi) -> None:
    plain, chart = str(tmp_path / "plain"), str(tmp_path / "chart")
    skerry("compose", "import", str(PIA), "-o", plain, "--user", "db=70")
    skerry("compose", "import", str(PIA), "-o", chart, "--user", "db=70", "--chart")
    _is_taken_by_the_api(plain, helm)
    helm("install", "pia", chart, "--values", f"{chart}/secrets.yaml")
    path = f"/apis/apps/v1/namespaces/{helm.namespace}/deployments"
    code, deployments = api.call("GET", path)
    assert code == 200
    assert sorted(one["metadata"]["name"] for one in deployments["items"]) == ["db", "nginx", "redis", "web", "worker"]
    assert "give secrets.db-password.db_password" in helm.fails("upgrade", "pia", chart, "--reset-values")
    helm(
        "upgrade",
        "pia",
        chart,
        "--values",
        f"{chart}/secrets.yaml",
        "--set",
        "services.worker.replicas=1,services.migrate.image=new:1",
    )
    _, jobs = api.call("GET", f"/apis/batch/v1/namespaces/{helm.namespace}/jobs")
    assert "migrate-2" in [one["metadata"]["name"] for one in jobs["items"]]


def _is_taken_by_the_api(folder: str, helm: Helm) -> None:
    """By `skerry check`, which tries every object, and by kubectl."""
    where = ["--kubeconfig", str(helm.kubeconfig), "-n", helm.namespace]
    report = json.loads(skerry("check", "--kustomize", folder, "-o", "json", *where))
    assert [one for one in report["findings"] if one["severity"] == "Error"] == []
    command = [program_path("kubectl"), *where, "apply", "-k", folder, "--dry-run=server"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
