"""Charts of notebooks and desktops look whether they are in a project: there the sign-on is in front of them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from skerry.testing import Cluster
from tests.support.charts import CHARTS
from tests.support.helm import Helm
from tests.support.raw_api import RawApi

each_session = pytest.mark.parametrize("app", ["code-server", "desktop", "jupyterlab"])


def variables(api: RawApi, namespace: str) -> dict[str, str | None]:
    _, deployment = api.call("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/lab")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value") for one in container["env"]}


def password(api: RawApi, namespace: str) -> tuple[int, Any]:
    code, secret = api.call("GET", f"/api/v1/namespaces/{namespace}/secrets/lab")
    return code, secret.get("data")


@each_session
def test_in_a_project_it_asks_nothing_more_unless_everyone_may_open_it(
    shared_cluster: Cluster, api: RawApi, tmp_path: Path, app: str
) -> None:
    namespace = f"project-{app}"
    labelled = {"metadata": {"name": namespace, "labels": {"skerry.dev/project": "sea"}}}
    assert api.call("POST", "/api/v1/namespaces", labelled)[0] == 201
    helm = Helm(shared_cluster.kubeconfig, tmp_path, namespace)
    helm("install", "lab", str(CHARTS / app))
    assert variables(api, namespace)["SIGN_IN"] == "platform"
    assert password(api, namespace)[0] == 404

    helm("upgrade", "lab", str(CHARTS / app), "--set", "access=everyone")
    assert "SIGN_IN" not in variables(api, namespace)
    assert password(api, namespace)[0] == 200


@each_session
def test_elsewhere_its_password_stays_the_same(api: RawApi, namespace: str, helm: Helm, app: str) -> None:
    helm("install", "lab", str(CHARTS / app))
    assert "SIGN_IN" not in variables(api, namespace)
    before = password(api, namespace)
    assert len(base64.b64decode(before[1]["password"])) == 32
    helm("upgrade", "lab", str(CHARTS / app), "--set", "resources.memory=512Mi")
    assert password(api, namespace) == before


def guarded(api: RawApi, namespace: str) -> bool:
    """Whether the hub is told that the sign-on is in front."""
    _, config = api.call("GET", f"/api/v1/namespaces/{namespace}/configmaps/lab-config")
    told: bool = json.loads(config["data"]["settings.json"])["guarded"]
    return told


def test_a_hub_has_passwords_where_no_sign_on_is_in_front_and_they_stay(
    shared_cluster: Cluster, api: RawApi, tmp_path: Path
) -> None:
    labelled = {"metadata": {"name": "project-hub", "labels": {"skerry.dev/project": "sea"}}}
    assert api.call("POST", "/api/v1/namespaces", labelled)[0] == 201
    passwords = "/api/v1/namespaces/project-hub/secrets/lab-passwords"
    helm = Helm(shared_cluster.kubeconfig, tmp_path, "project-hub")
    helm("install", "lab", str(CHARTS / "jupyterhub"))
    assert guarded(api, "project-hub")
    assert api.call("GET", passwords)[0] == 404

    helm("upgrade", "lab", str(CHARTS / "jupyterhub"), "--set", "access=everyone,users={ana}")
    assert not guarded(api, "project-hub")
    before = api.call("GET", passwords)[1]["data"]
    helm("upgrade", "lab", str(CHARTS / "jupyterhub"), "--set", "access=everyone,users={ana,ben}")
    after = api.call("GET", passwords)[1]["data"]
    assert (after["ana"], sorted(after)) == (before["ana"], ["ana", "ben"])
