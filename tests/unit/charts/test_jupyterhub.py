"""The chart jupyterhub: what it gives the hub, and what the hub gives people's servers."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from skerry.kube.quantities import bytes_of, millicores
from skerry.platform.projects.roles import roles_for_people
from tests.support.charts import CHARTS, IMAGES, pods, rendered, schema, template, the

HUB = CHARTS / "jupyterhub"
_TWO = 'users=["ana","ben"]'


def settings(*values: str) -> Any:
    """What the hub is told."""
    return json.loads(the(rendered(HUB, *values), "ConfigMap")["data"]["settings.json"])


def test_its_rights_are_within_those_that_a_project_has() -> None:
    """A release can give no more."""
    (editing,) = [one for one in roles_for_people() if one["metadata"]["name"] == "skerry:editor-part"]
    (viewing,) = [one for one in roles_for_people() if one["metadata"]["name"] == "skerry:viewer-part"]
    had = {
        (group, resource, verb)
        for rule in (*editing["rules"], *viewing["rules"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    for rule in the(rendered(HUB), "Role")["rules"]:
        assert {
            (group, one, verb) for group in rule["apiGroups"] for one in rule["resources"] for verb in rule["verbs"]
        } <= had


def test_the_hub_alone_has_a_token() -> None:
    hub, test = pods(rendered(HUB))
    assert [one["serviceAccountToken"] for one in _sources(hub) if "serviceAccountToken" in one] == [{"path": "token"}]
    assert _sources(test) == []


def test_without_single_sign_on_each_of_the_people_has_a_password_of_their_own() -> None:
    """Helm finds no project without a cluster."""
    objects = rendered(HUB, _TWO)
    assert settings(_TWO)["guarded"] is False
    (kept,) = [one for one in objects if one["metadata"]["name"] == "lab-passwords"]
    given = [base64.b64decode(one) for one in kept["data"].values()]
    assert (sorted(kept["data"]), {len(one) for one in given}, len(set(given))) == (["ana", "ben"], {24}, 2)
    assert kept["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_nobody_has_a_password_unless_it_is_said_who() -> None:
    (kept,) = [one for one in rendered(HUB) if one["metadata"]["name"] == "lab-passwords"]
    assert kept["data"] == {}


@pytest.mark.parametrize("value", ['users=["helm-test"]', 'users=["a/b"]', 'users=["ana","ana"]', "idleMinutes=-1"])
def test_people_that_cannot_be_are_refused(value: str) -> None:
    done = template(HUB, value)
    assert done.returncode != 0
    assert value.partition("=")[0] in done.stderr


def test_who_only_looks_may_not_open_it() -> None:
    assert schema(HUB)["properties"]["access"]["enum"] == ["editors", "owner", "everyone"]


def test_three_servers_fit_into_the_free_tier_beside_the_hub() -> None:
    hub = the(rendered(HUB), "Deployment")["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    server = settings()["resources"]
    assert millicores(hub["cpu"]) + 3 * millicores(server["cpu"]) <= 2000
    assert bytes_of(hub["memory"]) + 3 * bytes_of(server["memory"]) <= 4 << 30


def test_servers_have_what_the_values_say() -> None:
    told = settings(
        'mounts=["scans:ro"]', 'env={"A":"b"}', "envFromSecret=keys", "storage.className=fast", "runAsUser=7"
    )
    assert told["volumes"] == [{"name": "claim-scans", "persistentVolumeClaim": {"claimName": "scans"}}]
    assert told["mounts"] == [{"name": "claim-scans", "mountPath": "/data/scans", "readOnly": True}]
    assert (told["env"], told["envFromSecret"], told["runAsUser"]) == ({"A": "b"}, "keys", 7)
    assert told["storage"] == {"size": "2Gi", "className": "fast"}
    assert told["image"] == "skerry.local/jupyterlab:1.0.0"


def test_hub_and_servers_have_the_same_version() -> None:
    """They refuse each other else."""
    locks = [(IMAGES / name / "requirements.lock").read_text() for name in ("jupyterhub", "jupyterlab")]
    assert len({re.findall(r"^jupyterhub==(\S+)", lock, re.MULTILINE)[0] for lock in locks}) == 1


def _sources(pod: Any) -> list[Any]:
    return [one for volume in pod["spec"]["volumes"] for one in volume.get("projected", {}).get("sources", ())]
