"""`skerry compose import` as it is run: manifests that kubectl renders, a chart that Helm renders, secrets apart."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import yaml
from click.testing import CliRunner, Result

from skerry.cli.kubectl import find_program
from skerry.cli.main import main
from skerry.kube.objects import Obj
from tests.unit.compose.reading import PIA

_SECRET = "not-a-secret-key-4711"


def run(*words: object, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["compose", "import", *map(str, words)])
    assert done.exit_code == code, done.output
    return done


def rendered(program: str, *words: object) -> list[Obj]:
    command = [find_program(program), *map(str, words)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(
        (one for one in yaml.safe_load_all(text) if one), key=lambda one: (one["kind"], one["metadata"]["name"])
    )


def test_manifests_and_chart_are_the_same(tmp_path: Path) -> None:
    said = run(PIA, "-o", tmp_path / "plain").output
    assert "apply it: kubectl apply -k" in said
    assert "left out: service web: ulimits" in said
    assert _SECRET not in said
    run(PIA, "--chart", "-o", tmp_path / "chart")
    plain = rendered("kubectl", "kustomize", tmp_path / "plain")
    values = tmp_path / "chart" / "secrets.yaml"
    chart = rendered("helm", "template", "pia", tmp_path / "chart", "--values", values)
    assert [_comparable(one) for one in plain] == [_comparable(one) for one in chart]
    changed = rendered("helm", "template", "pia", tmp_path / "chart", "--values", values, "--set",
                       "services.worker.replicas=5,hosts.nginx=pia.example.org,storage.pgdata=20Gi")  # fmt: skip
    (worker,) = [one for one in changed if one["kind"] == "Deployment" and one["metadata"]["name"] == "worker"]
    assert worker["spec"]["replicas"] == 5
    assert "pia.example.org" in str(changed)
    assert "20Gi" in str(changed)


def _comparable(obj: Obj) -> Obj:
    """Without what a chart works out anew, secrets as they will be."""
    if obj["kind"] == "Job":
        name = obj["metadata"]["name"].removesuffix("-1")
        return {**obj, "metadata": {**obj["metadata"], "name": name}}
    if obj["kind"] == "Secret":
        import base64

        plain = {key: base64.b64decode(value).decode() for key, value in (obj.get("data") or {}).items()}
        return {**obj, "data": None, "stringData": plain | (obj.get("stringData") or {})}
    if (template := obj["spec"].get("template") if "spec" in obj else None) is not None:
        template["metadata"].pop("annotations", None)
    return obj


def test_secrets_are_apart(tmp_path: Path) -> None:
    for folder, more in (("plain", ()), ("chart", ("--chart",))):
        run(PIA, "-o", tmp_path / folder, *more)
        secrets = tmp_path / folder / "secrets.yaml"
        assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
        assert _SECRET in secrets.read_text()
        assert "secrets.yaml" in (tmp_path / folder / ".gitignore").read_text()
        others = [file for file in (tmp_path / folder).rglob("*") if file.is_file() and file != secrets]
        assert [file for file in others if _SECRET in file.read_text()] == []


def test_what_looks_like_a_template_stays(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services: {app: {image: 'app:1', environment: {FORMAT: '{{ .Values.x }}@@int a@@'}, ports: ['80:80']}}"
    )
    run(file, "--chart", "-o", tmp_path / "chart", "--name", "Mine")
    chart = rendered("helm", "template", "x", tmp_path / "chart")
    (app,) = [one for one in chart if one["kind"] == "Deployment"]
    env = app["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [{"name": "FORMAT", "value": "{{ .Values.x }}@@int a@@"}]
    assert app["metadata"]["labels"]["app.kubernetes.io/part-of"] == "mine"


def test_on_standard_output_and_refusals(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["compose", "import", str(PIA)])
    assert len(list(yaml.safe_load_all(done.stdout))) == 23
    assert "left out" in done.stderr
    assert "is not empty" in run(PIA, "-o", PIA.parent, code=1).output
    assert "a chart needs a directory" in run(PIA, "--chart", code=2).output
    assert "there is no service web2" in run(PIA, "--host", "web2=a", code=2).output
    assert "numbers are wanted" in run(PIA, "--user", "web=root", code=2).output
    run(PIA, "--strict", code=1)
    wrong = tmp_path / "compose.yaml"
    wrong.write_text("services: {app: {imag: a}}")
    assert "imag" in run(wrong, code=1).output
