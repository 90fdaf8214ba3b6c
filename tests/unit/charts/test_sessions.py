"""The charts code-server, desktop and jupyterlab: apps in which people run programs."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from skerry.platform.identity.apps.access import WHO
from tests.support.charts import CHARTS, rendered, schema, template, the

SESSIONS = [CHARTS / name for name in ("code-server", "desktop", "jupyterlab")]
each_session = pytest.mark.parametrize("app", SESSIONS, ids=lambda path: path.name)


@each_session
def test_without_single_sign_on_in_front_it_asks_for_a_password_that_nobody_guesses(app: Path) -> None:
    """Helm finds no project without a cluster."""
    objects = rendered(app)
    (container,) = the(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    reference = {"secretKeyRef": {"name": "lab", "key": "password"}}
    assert [one["name"] for one in container["env"] if one.get("valueFrom") == reference] != []
    assert "SIGN_IN" not in [one["name"] for one in container["env"]]
    others = rendered(app, "runAsUser=1001")
    passwords = {base64.b64decode(the(one, "Secret")["data"]["password"]) for one in (objects, others)}
    assert [len(password) for password in passwords] == [32, 32]


def test_what_they_do_alike_is_the_same_file() -> None:
    assert len({(app / "templates/_session.tpl").read_text() for app in (*SESSIONS, CHARTS / "jupyterhub")}) == 1


@each_session
def test_who_only_looks_may_not_open_it(app: Path) -> None:
    assert schema(app)["properties"]["access"]["enum"] == ["owner", "editors", "everyone"]
    assert template(app, "access=members").returncode != 0
    for page in ("web-application", "static-site"):
        assert tuple(schema(CHARTS / page)["properties"]["access"]["enum"]) == WHO


@each_session
def test_its_home_is_a_volume_that_one_pod_has_at_a_time(app: Path) -> None:
    objects = rendered(app, "storage.size=7Gi")
    claim, deployment = the(objects, "PersistentVolumeClaim"), the(objects, "Deployment")
    assert claim["spec"]["resources"]["requests"]["storage"] == "7Gi"
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    pod = deployment["spec"]["template"]["spec"]
    assert {"name": "home", "persistentVolumeClaim": {"claimName": "lab"}} in pod["volumes"]
    assert {"name": "home", "mountPath": "/home/user"} in pod["containers"][0]["volumeMounts"]


@each_session
def test_other_volumes_are_below_data(app: Path) -> None:
    objects = rendered(app, 'mounts=["scans.2026:ro","results"]')
    pod = the(objects, "Deployment")["spec"]["template"]["spec"]
    mounts = pod["containers"][0]["volumeMounts"]
    assert {"name": "claim-scans-2026", "mountPath": "/data/scans.2026", "readOnly": True} in mounts
    assert {"name": "claim-results", "mountPath": "/data/results", "readOnly": False} in mounts
    assert {"name": "claim-results", "persistentVolumeClaim": {"claimName": "results"}} in pod["volumes"]
