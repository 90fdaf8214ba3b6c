"""What every app of the catalogue keeps to: its form, its rights, its size, its address."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.checking.check import judged
from skerry.checking.facts import Facts, Space
from skerry.kube.pod_security.levels import Level, details, findings
from skerry.kube.quantities import bytes_of, millicores
from skerry.platform.catalog.types import LARGEST_ARCHIVE
from tests.support.charts import APPS, CHARTS, IMAGES, SERVICES, fields, pods, rendered, schema, template, the
from tests.support.program import program_path

_FREE_TIER = (2000, 4 << 30)
"""Millicores and bytes that a project of the smallest tier has."""
_WHO = {
    "code-server": "owner",
    "desktop": "owner",
    "jupyterhub": "editors",
    "jupyterlab": "owner",
    "static-site": "members",
    "web-application": "members",
}
"""Who may open it when nothing is said: who only looks at a project may not run programs in it."""

each_app = pytest.mark.parametrize("app", [CHARTS / name for name in APPS], ids=lambda path: path.name)
each_chart = pytest.mark.parametrize("app", [CHARTS / name for name in APPS + SERVICES], ids=lambda path: path.name)


def described(chart: Path) -> Any:
    return yaml.safe_load((chart / "Chart.yaml").read_text())


@each_chart
def test_helm_finds_nothing_wrong_and_packs_it_small(app: Path, tmp_path: Path) -> None:
    for words in (("lint", "--strict", str(app)), ("package", str(app), "-d", str(tmp_path))):
        done = subprocess.run([program_path("helm"), *words], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = tmp_path.iterdir()
    assert archive.stat().st_size < LARGEST_ARCHIVE / 10


@each_chart
def test_the_form_says_what_each_value_is_and_has_the_defaults_of_the_chart(app: Path) -> None:
    values = yaml.safe_load((app / "values.yaml").read_text())
    for path, field in fields(schema(app)):
        value = values
        for part in path.split("."):
            value = value[part]
        assert field["default"] == value, path
        assert field["title"], path
        assert field["description"], path
    assert {path.split(".")[0] for path, _ in fields(schema(app))} == set(values)


@each_chart
def test_the_readme_has_every_value(app: Path) -> None:
    text = (app / "README.md").read_text()
    assert [path for path, _ in fields(schema(app)) if f"| `{path}` |" not in text] == []


@each_chart
def test_the_description_is_what_the_catalogue_shows(app: Path) -> None:
    chart = described(app)
    assert chart["name"] == app.name
    assert chart["icon"].startswith("data:image/svg+xml,")
    assert {"skerry.dev/display-name", "skerry.dev/category", "skerry.dev/image"} <= set(chart["annotations"])


@each_chart
def test_its_images_have_recipes(app: Path) -> None:
    named = described(app)["annotations"]["skerry.dev/image"].split(",")
    assert named
    for image in named:
        recipe = IMAGES / image.removeprefix("skerry.local/").partition(":")[0] / "recipe.toml"
        assert tomllib.loads(recipe.read_text())["name"] == image
    used = {container["image"] for pod in pods(rendered(app)) for container in pod["spec"]["containers"]}
    assert used == set(named)


@each_chart
def test_what_they_do_alike_is_the_same_file(app: Path) -> None:
    common = "templates/_common.tpl"
    assert (app / common).read_text() == (CHARTS / "web-application" / common).read_text()


@each_chart
def test_pods_keep_to_the_strictest_level_and_to_a_root_that_nobody_writes(app: Path) -> None:
    found = pods(rendered(app))
    assert len(found) >= 2  # of the app and of its test
    for pod in found:
        broken = findings(Level("restricted"), pod["metadata"], pod["spec"])
        assert broken == [], details(broken)
        assert pod["spec"]["automountServiceAccountToken"] is False
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["imagePullPolicy"] == "IfNotPresent"


@each_chart
def test_app_and_test_fit_into_the_free_tier_together(app: Path) -> None:
    cpu = memory = 0
    for pod in pods(rendered(app)):
        for container in pod["spec"]["containers"]:
            needs = container["resources"]
            assert set(needs["requests"]) == set(needs["limits"]) == {"cpu", "memory"}
            cpu += millicores(needs["limits"]["cpu"])
            memory += bytes_of(needs["limits"]["memory"])
    assert cpu <= _FREE_TIER[0]
    assert memory <= _FREE_TIER[1]


@each_chart
def test_an_amount_of_cpu_may_be_written_as_a_number(app: Path) -> None:
    """`--set resources.cpu=2`, `cpu: 2`: what everybody writes first."""
    for path in [path for path, _ in fields(schema(app)) if path.rpartition(".")[2] == "cpu"]:
        assert template(app, f"{path}=1").returncode == 0, path
        assert "minimum" in template(app, f"{path}=-1").stderr, path


@each_chart
def test_it_is_known_to_be_well_by_probes_and_by_a_test(app: Path) -> None:
    objects = rendered(app)
    workloads = [one for one in objects if one["kind"] in ("Deployment", "StatefulSet")]
    assert workloads
    for workload in workloads:
        probed = [set(one) for one in workload["spec"]["template"]["spec"]["containers"]]
        assert any({"startupProbe", "readinessProbe", "livenessProbe"} <= one for one in probed), "of whom is asked"
    assert the(objects, "Pod")["metadata"]["annotations"]["helm.sh/hook"] == "test"


@each_app
def test_the_address_is_made_of_release_and_namespace_unless_it_is_given(app: Path) -> None:
    ingress = the(rendered(app), "Ingress")
    assert ingress["metadata"]["annotations"] == {"skerry.dev/access": _WHO[app.name]}
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["lab.sea.localhost"]
    assert "tls" not in ingress["spec"]

    secured = the(rendered(app, "host=lab.example.org", "tls.enabled=true", "tls.issuer=site"), "Ingress")
    assert [rule["host"] for rule in secured["spec"]["rules"]] == ["lab.example.org"]
    assert secured["spec"]["tls"] == [{"hosts": ["lab.example.org"], "secretName": "lab-tls"}]
    assert secured["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "site"


@each_app
@pytest.mark.parametrize(
    "value",
    ["access=nobody", "runAsUser=0", "resources.memory=lots", "host=https://lab", "service.nodePort=99999", "typo=1"],
)
def test_values_that_mean_nothing_are_refused_by_name(app: Path, value: str) -> None:
    done = template(app, value)
    assert done.returncode != 0
    assert value.partition("=")[0].rpartition(".")[2] in done.stderr


@each_app
def test_a_node_port_is_given_when_it_is_wanted(app: Path) -> None:
    def service(*values: str) -> Any:
        (found,) = [
            one for one in rendered(app, *values) if (one["kind"], one["metadata"]["name"]) == ("Service", "lab")
        ]
        return found["spec"]

    given = service("service.type=NodePort", "service.nodePort=30081")
    assert (given["type"], given["ports"][0]["nodePort"]) == ("NodePort", 30081)
    assert "nodePort" not in service()["ports"][0]


@each_chart
def test_names_and_labels_are_valid(app: Path) -> None:
    for one in rendered(app):
        assert one["metadata"]["name"].startswith("lab"), json.dumps(one)
        assert one["metadata"]["namespace"] == "sea"


@each_chart
def test_checks_before_applying_find_nothing_wrong(app: Path) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    report = judged(rendered(app), Facts("sea", spaces={"sea": Space(labels=labels)}))
    assert report.text() == ""
