"""An extension API server as a pod behind a Service: registered, used, lost and back.

As Kubernetes' conformance test of the sample-apiserver does it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.support import extension_server
from tests.support.extension_server import GROUP, GROUP_VERSION, VERSION
from tests.support.pod_python import python_container
from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

NAME = f"{VERSION}.{GROUP}"


@pytest.fixture(autouse=True)
def _own_discovery_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """kubectl remembers the group for minutes, long after this test has taken it away from the shared program."""
    monkeypatch.setenv("KUBECACHEDIR", str(tmp_path / "kube-cache"))


def test_an_extension_server_in_a_pod(program: Program, namespace: str, tmp_path: Path) -> None:
    config = program.kubectl(
        "get", "configmap", "-n", "kube-system", "extension-apiserver-authentication", "-o", "json"
    )
    (tmp_path / "authentication.json").write_text(json.dumps(json.loads(config.stdout)["data"]))
    _, _, bundle = extension_server.issue_certificate(tmp_path, f"api.{namespace}.svc")
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump_all([_deployment(tmp_path), _SERVICE]))
    program.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(_api_service(namespace, bundle)))
    try:
        program.kubectl("wait", "--for=condition=Available", f"apiservice/{NAME}", WITHIN)
        _use(program, namespace)
        program.kubectl("scale", "-n", namespace, "deployment/api", "--replicas=0")
        program.kubectl("wait", "--for=condition=Available=False", f"apiservice/{NAME}", WITHIN)
        refused = program.kubectl("get", "--raw", f"/apis/{GROUP_VERSION}/flunders", check=False)
        assert "service unavailable" in refused.stderr
        program.kubectl("scale", "-n", namespace, "deployment/api", "--replicas=1")
        program.kubectl("wait", "--for=condition=Available", f"apiservice/{NAME}", WITHIN)
        _use(program, namespace)
    finally:
        program.kubectl("delete", "apiservice", NAME)
    eventually(lambda: GROUP not in program.kubectl("get", "--raw", "/apis").stdout, "the group's end")


def _use(program: Program, namespace: str) -> None:
    flunder = {"apiVersion": GROUP_VERSION, "kind": "Flunder", "metadata": {"name": "one"}}
    program.kubectl("create", "-n", namespace, "-f", "-", stdin=yaml.safe_dump(flunder))
    assert program.kubectl("get", "-n", namespace, "flunders", "-o", "name").stdout == f"flunder.{GROUP}/one\n"
    allowed = program.kubectl("auth", "can-i", "create", f"flunders.{GROUP}", "--as=nobody", check=False)
    assert allowed.stdout == "no\n"
    program.kubectl("delete", "-n", namespace, "flunder", "one")


_SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "api"},
    "spec": {"selector": {"app": "api"}, "ports": [{"port": 7443, "targetPort": 8443}]},
}


def _api_service(namespace: str, bundle: str) -> dict[str, object]:
    spec = {
        "group": GROUP,
        "version": VERSION,
        "service": {"namespace": namespace, "name": "api", "port": 7443},
        "caBundle": bundle,
        "groupPriorityMinimum": 2000,
        "versionPriority": 200,
    }
    return {
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": NAME}, "spec": spec,
    }  # fmt: skip


def _deployment(folder: Path) -> dict[str, object]:
    """The server on this machine's own Python, seen by the pod where it is here."""
    script = Path(extension_server.__file__).resolve()
    files = [folder / name for name in ("authentication.json", "extension.crt", "extension.key")]
    probe = {"tcpSocket": {"port": 8443}, "periodSeconds": 1}
    container, volumes = python_container(script, *map(str, files), "8443", sees=[folder], readinessProbe=probe)
    pod = {"terminationGracePeriodSeconds": 1, "containers": [container], "volumes": volumes}
    template = {"metadata": {"labels": {"app": "api"}}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api"},
        "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": template},
    }
