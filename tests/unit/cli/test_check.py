"""`skerry check` without a cluster: what it reads, where it says things are, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from click.testing import CliRunner, Result

from skerry.cli.main import main

_GOOD = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  mode: fast
"""
_BAD = """\
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata:
      name: web
    spec:
      ports:
        - port: "80"
"""
_CHART = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings, namespace: {{ .Release.Namespace }}}
data: {mode: {{ .Values.mode }}}
"""


def run(*words: object, code: int = 0, stdin: str | None = None) -> Result:
    done = CliRunner().invoke(main, ["check", *map(str, words)], input=stdin)
    assert done.exit_code == code, done.output
    return done


def test_files_and_directories(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(_GOOD)
    (tmp_path / "values.yaml").write_text("mode: fast\n")
    assert run("--offline", tmp_path).output == "1 object: nothing is wrong\n"
    bad = tmp_path / "sub" / "bad.yml"
    bad.parent.mkdir()
    bad.write_text(_BAD)
    said = run("--offline", tmp_path, code=1).output
    assert f"{bad}:10: error: Service web: spec.ports[0].port: a whole number is wanted" in said
    assert said.endswith("2 objects: 1 error\n")
    assert run("--offline", "-", stdin=_GOOD).output.startswith("1 object")
    assert "this is no object" in run("--offline", tmp_path / "values.yaml", "-f", "-", code=1, stdin="- 1").output


def test_formats(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(_BAD)
    document = json.loads(run("--offline", bad, "-o", "json", code=1).output)
    (finding,) = document["findings"]
    assert (finding["file"], finding["line"], finding["severity"]) == (str(bad), 10, "Error")
    assert document["summary"] == {"errors": 1, "warnings": 0}
    assert yaml.safe_load(run("--offline", bad, "-o", "yaml", code=1).output) == document
    (sarif,) = json.loads(run("--offline", bad, "-o", "sarif", code=1).output)["runs"]
    (result,) = sarif["results"]
    assert result["ruleId"] == "schema"
    assert result["level"] == "error"
    place = {"artifactLocation": {"uri": str(bad)}, "region": {"startLine": 10}}
    assert result["locations"] == [{"physicalLocation": place}]


def test_which_checks(tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    pod = {"containers": [{"name": "a", "image": "a", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": pod}))
    assert "has no tag" in run("--offline", file).output
    run("--offline", file, "--strict", code=1)
    run("--offline", file, "--strict", "--skip", "policy")
    run("--offline", file, "--strict", "--only", "schema")
    assert "not without a cluster" in run("--offline", file, "--only", "quota", code=2).output
    assert "nothing to check" in run("--offline", code=2).output
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing\n")
    assert f"there is no object of Kubernetes in {empty}" in run("--offline", empty, code=1).output
    assert "are for --chart" in run("--offline", file, "--set", "a=b", code=2).output
    elsewhere = run(file, "--data-dir", tmp_path / "none", code=4)
    assert "or check without a cluster: --offline" in elsewhere.output


def test_charts(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: app, version: 1.0.0}")
    (tmp_path / "values.schema.json").write_text('{"properties": {"mode": {"type": "string"}}}')
    (tmp_path / "templates" / "settings.yaml").write_text(_CHART)
    values = tmp_path / "values.staging.yaml"
    values.write_text("mode: slow\n")
    assert "1 object: nothing" in run("--offline", "--chart", tmp_path, "--values", values, "-n", "lidar").output
    wrong = run("--offline", "--chart", tmp_path, "--set", "mode=true", code=1).output
    assert "skerry: helm template: " in wrong
    assert "want string" in wrong


def test_overlays(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(_BAD)
    (tmp_path / "kustomization.yaml").write_text("{resources: [bad.yaml], namePrefix: my-}")
    assert "error: Service my-web: spec.ports[0].port" in run("--offline", "-k", tmp_path, code=1).output
    assert "give it with --kustomize" in run("--offline", tmp_path, code=1).output
