"""JupyterHub of the catalogue in a project, with the rights of the project and the sign-on of the platform in front."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.charts import lend_images
from tests.support.helm import Helm
from tests.support.program import Program
from tests.support.signed_in import signed_in
from tests.support.visitor import Visitor
from tests.support.waiting import WITH_IMAGES, WITHIN, eventually

pytestmark = pytest.mark.timeout(WITH_IMAGES)
URL = "https://hub.lab.localhost"
_PROJECT = """
apiVersion: skerry.dev/v1alpha1
kind: User
metadata: {name: anna}
spec: {username: anna}
---
apiVersion: skerry.dev/v1alpha1
kind: Project
metadata: {name: lab}
spec: {tier: free, owner: anna}
"""
_RELEASE = """
apiVersion: skerry.dev/v1alpha1
kind: Release
metadata: {name: hub, namespace: lab}
spec:
  chart: {catalog: skerry, name: jupyterhub}
  values: {idleMinutes: 0.5}
"""


@pytest.fixture
def platform(program: Program, fresh_program: Program, tmp_path: Path) -> Program:
    """A program with a platform, and with images that the shared one has built."""
    fresh_program.platform = True
    fresh_program.up()
    lend_images(program, fresh_program, tmp_path, "jupyterhub", "jupyterlab")
    return fresh_program


def test_a_person_of_the_project_has_a_server_until_nobody_uses_it(platform: Program, tmp_path: Path) -> None:
    platform.apply(_PROJECT)
    platform.kubectl("wait", "--for=condition=Ready", "project/lab", WITHIN)
    eventually(lambda: platform.kubectl("apply", "-f", "-", stdin=_RELEASE, check=False).returncode == 0, "the release")
    platform.kubectl("wait", "-n", "lab", "--for=condition=Ready", "release/hub", "--timeout=240s", timeout=300)
    _signs_in_and_finds_a_server(platform)
    (hub,), (server,) = _pods(platform, "jupyterhub"), _pods(platform, "jupyterhub-server")
    assert [one["uid"] for one in server["metadata"]["ownerReferences"]] == [hub["metadata"]["uid"]]
    assert server["metadata"]["labels"]["skerry.dev/release"] == "hub"
    _nobody_is_somebody_else_by_a_header(platform, server["metadata"]["name"])
    told = Helm(platform.kubeconfig, tmp_path, "lab")("test", "hub", "--logs", "--timeout", "240s")
    assert "Phase:          Succeeded" in told
    eventually(lambda: _pods(platform, "jupyterhub-server") == [], "the end of the idle server", 240)
    claims = platform.get("-n", "lab", "persistentvolumeclaims")["items"]
    assert [one["metadata"]["name"] for one in claims] == ["hub--anna"], "her home is kept, the test's is not"


def _signs_in_and_finds_a_server(program: Program) -> None:
    visitor = Visitor(program, "hub.lab.localhost")
    signed_in(program, "anna", "anna's-browser", name="browser")
    visitor.signs_in("anna's-browser")
    (_, where, _) = eventually(lambda: _at_the_hub(visitor), "a way to the hub")
    assert where.startswith((f"{URL}/hub/spawn-pending/anna", f"{URL}/user/anna/lab")), where
    answer = eventually(lambda: _served(visitor, f"{URL}/user/anna/api/me"), "her server", 180)
    assert '"username": "anna"' in answer


def _at_the_hub(visitor: Visitor) -> tuple[int, str, str] | None:
    """Once the session is known, and the door is there."""
    answer = visitor.get(f"{URL}/")
    return answer if answer[0] == 200 and answer[1].startswith(f"{URL}/") and "/.skerry/" not in answer[1] else None


def _served(visitor: Visitor, url: str) -> str:
    (status, _, text) = visitor.get(url)
    if status == 403:  # not signed in at the server yet: its page does that
        visitor.get(f"{URL}/user/anna/lab")
    return text if status == 200 and '"identity"' in text else ""


def _nobody_is_somebody_else_by_a_header(program: Program, pod: str) -> None:
    """From within the project, past the Ingress."""
    for header in ("X-Auth-Request-User: anna", "Cookie: __Host-skerry-app=invented"):
        asked = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", header, "http://hub/hub/login")
        assert program.kubectl("exec", "-n", "lab", pod, "--", *asked).stdout == "403"


def _pods(program: Program, name: str) -> list[Any]:
    found: list[Any] = program.get("-n", "lab", "pods", "-l", f"app.kubernetes.io/name={name}")["items"]
    return found
