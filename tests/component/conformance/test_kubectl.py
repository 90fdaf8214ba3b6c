"""Kubernetes' `test/e2e/kubectl/kubectl.go`; what `test/e2e/apimachinery/crd_publish_openapi.go` does with
kubectl; as far as they look at what it prints and stores."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.testing.cluster import Cluster
from tests.component.conformance.definitions import random_definition
from tests.component.conformance.e2e_client import E2eClient
from tests.component.conformance.test_custom_resources import FOO
from tests.support.program import program_path
from tests.support.waiting import eventually

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.59"
LABELS = {"app": "agnhost", "role": "primary"}


class Kubectl:
    """The real one, in a namespace."""

    def __init__(self, kubeconfig: Path, ns: str) -> None:
        self._words = [program_path("kubectl"), "--kubeconfig", str(kubeconfig), f"--namespace={ns}"]

    def attempt(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [*self._words, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, input=stdin, timeout=120)

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        done = self.attempt(*words, stdin=stdin)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[str]:
        """The first line of what a command prints that goes on."""
        process = subprocess.Popen([*self._words, *words], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


@pytest.fixture
def kubectl(running: Cluster, ns: str) -> Kubectl:
    return Kubectl(running.kubeconfig, ns)


def agnhost(replicas: int = 1) -> str:
    container = {"name": "agnhost-primary", "image": AGNHOST, "ports": [{"containerPort": 6379}]}
    spec = {
        "replicas": replicas,
        "selector": LABELS,
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}},
    }
    metadata = {"name": "agnhost-primary", "labels": LABELS}
    return json.dumps({"apiVersion": "v1", "kind": "ReplicationController", "metadata": metadata, "spec": spec})


def pods_of(api: E2eClient, ns: str, count: int) -> list[Any]:
    path = f"/api/v1/namespaces/{ns}/pods?labelSelector=app=agnhost"

    def all_run() -> Any:
        found = [one for one in api.items(path) if "deletionTimestamp" not in one["metadata"]]
        return len(found) == count and all(one["status"].get("phase") == "Running" for one in found) and [found]

    return list(eventually(all_run, f"{count} pods")[0]) if count else []


def shows(text: str, *required: tuple[str, ...]) -> None:
    """No required line comes before the one before, and each has all its words."""
    lines = text.splitlines()
    for first, *others in required:
        while lines and first not in lines[0]:
            del lines[0]
        assert lines, (first, text)
        for word in others:
            assert word in lines[0]


def test_describes_what_is_relevant(api: E2eClient, ns: str, kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=agnhost())
    service = {"metadata": {"name": "agnhost-primary", "labels": LABELS}}
    ports = [{"port": 6379, "targetPort": 6379}]
    service = {"apiVersion": "v1", "kind": "Service", **service, "spec": {"selector": LABELS, "ports": ports}}
    kubectl("create", "-f", "-", stdin=json.dumps(service))
    (pod,) = pods_of(api, ns, 1)
    labels = (("Labels:", "app=agnhost"), ("role=primary",), ("Annotations:",))
    shows(
        kubectl("describe", "pod", pod["metadata"]["name"]),
        ("Name:", "agnhost-primary-"), ("Namespace:", ns), ("Node:",), *labels, ("Status:", "Running"), ("IP:",),
        ("Controlled By:", "ReplicationController/agnhost-primary"), ("Image:", AGNHOST), ("State:", "Running"),
        ("QoS Class:", "BestEffort"),
    )  # fmt: skip
    shows(
        kubectl("describe", "rc", "agnhost-primary"),
        ("Name:", "agnhost-primary"), ("Namespace:", ns), ("Selector:", "app=agnhost,role=primary"), *labels,
        ("Replicas:", "1 current", "1 desired"), ("Pods Status:", "1 Running", "0 Waiting", "0 Succeeded", "0 Failed"),
        ("Pod Template:",), ("Image:", AGNHOST), ("Events:",),
    )  # fmt: skip
    shows(
        kubectl("describe", "service", "agnhost-primary"),
        ("Name:", "agnhost-primary"), ("Namespace:", ns), *labels, ("Selector:", "app=agnhost", "role=primary"),
        ("Type:", "ClusterIP"), ("IP:",), ("Port:", "<unset>", "6379/TCP"), ("Endpoints:",),
        ("Session Affinity:", "None"),
    )  # fmt: skip
    node = api.items("/api/v1/nodes")[0]["metadata"]["name"]
    shows(
        kubectl("describe", "node", node),
        ("Name:", node), ("Labels:",), ("Annotations:",), ("CreationTimestamp:",), ("Conditions:",),
        ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"), ("Addresses:",),
        ("Capacity:",), ("Version:",), ("Kernel Version:",), ("OS Image:",), ("Container Runtime Version:",),
        ("Kubelet Version:",), ("Pods:",),
    )  # fmt: skip
    shows(kubectl("describe", "namespace", ns), ("Name:", ns), ("Labels:",), ("Annotations:",), ("Status:", "Active"))


def test_exposes_a_controller_and_a_service(api: E2eClient, ns: str, kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=agnhost())
    (pod,) = pods_of(api, ns, 1)
    for what, name, port in (("rc/agnhost-primary", "rm2", 1234), ("service/rm2", "rm3", 2345)):
        kubectl("expose", what, f"--name={name}", f"--port={port}", "--target-port=6379")
        path = f"/api/v1/namespaces/{ns}"
        (one,) = api.get(f"{path}/services/{name}")["spec"]["ports"]
        assert (one["port"], one["targetPort"]) == (port, 6379)
        found = api.until(f"{path}/endpoints/{name}", lambda now: now["subsets"][0]["addresses"])["subsets"]
        assert [each["port"] for each in found[0]["ports"]] == [6379]
        assert [each["targetRef"]["uid"] for each in found[0]["addresses"]] == [pod["metadata"]["uid"]]


def test_scales_and_patches_all_pods_of_a_controller(api: E2eClient, ns: str, kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=agnhost(2))
    pods_of(api, ns, 2)
    kubectl("scale", "rc", "agnhost-primary", "--replicas=1", "--timeout=5m")
    pods_of(api, ns, 1)
    kubectl("scale", "rc", "agnhost-primary", "--replicas=2", "--timeout=5m")
    for pod in pods_of(api, ns, 2):
        kubectl("patch", "pod", pod["metadata"]["name"], "-p", '{"metadata":{"annotations":{"x":"y"}}}')
    assert [one["metadata"]["annotations"]["x"] for one in pods_of(api, ns, 2)] == ["y", "y"]
    kubectl("delete", "--grace-period=0", "--force", "-f", "-", stdin=agnhost(2))
    api.until_empty(f"/api/v1/namespaces/{ns}/pods?labelSelector=app=agnhost")


def test_runs_labels_and_replaces_a_pod(api: E2eClient, ns: str, kubectl: Kubectl) -> None:
    name, path = "e2e-test-httpd-pod", f"/api/v1/namespaces/{ns}/pods/e2e-test-httpd-pod"
    kubectl("run", name, "--restart=Never", "--image=httpd:one", f"--labels=run={name}")
    made = api.until(path, lambda now: now["status"].get("phase") == "Running")
    assert [one["image"] for one in made["spec"]["containers"]] == ["httpd:one"]
    assert made["spec"]["restartPolicy"] == "Never"
    kubectl("label", "pods", name, "testing-label=testing-label-value")
    assert "testing-label-value" in kubectl("get", "pod", name, "-L", "testing-label")
    kubectl("label", "pods", name, "testing-label-")
    assert "testing-label-value" not in kubectl("get", "pod", name, "-L", "testing-label")
    patch = json.dumps({"spec": {"containers": [{"name": name, "image": "busybox:two"}]}})
    kubectl("patch", "pod", name, "-p", patch, "--dry-run=server")
    assert api.get(path)["spec"]["containers"][0]["image"] == "httpd:one"
    kubectl("replace", "-f", "-", stdin=kubectl("get", "pod", name, "-o", "json").replace("httpd:one", "busybox:two"))
    assert api.get(path)["spec"]["containers"][0]["image"] == "busybox:two"
    kubectl("delete", "pods", name)


def test_finds_the_difference_of_a_deployment(kubectl: Kubectl) -> None:
    container = {"name": "httpd", "image": "httpd:one"}
    labels = {"app": "httpd"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    manifest = json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "httpd"}, "spec": spec})
    kubectl("create", "-f", "-", stdin=manifest)
    found = kubectl.attempt("diff", "-f", "-", stdin=manifest.replace("httpd:one", "busybox:two"))
    assert found.returncode == 1
    assert re.search(r"^-.*image: httpd:one$", found.stdout, re.MULTILINE)
    assert re.search(r"^\+.*image: busybox:two$", found.stdout, re.MULTILINE)


def test_what_the_cluster_says_of_itself(kubectl: Kubectl) -> None:
    version = kubectl("version")
    for side in ("Client", "Server"):
        assert re.search(rf"{side} Version: v\d\.\d+\.[\d\w\-.+]+", version)
    assert "v1" in kubectl("api-versions").split()
    information = kubectl("cluster-info")
    assert "Kubernetes control plane" in information
    assert "is running at" in information


class OverSocket(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def test_proxies(kubectl: Kubectl, tmp_path: Path) -> None:
    with kubectl.running("proxy", "-p", "0", "--disable-filter") as said:
        found = re.search(r"Starting to serve on 127.0.0.1:([0-9]+)", said)
        assert found
        assert _versions(lambda: http.client.HTTPConnection("127.0.0.1", int(found[1]))) == ["v1"]
    with kubectl.running("proxy", f"--unix-socket={tmp_path / 'test'}"):
        assert _versions(lambda: OverSocket(tmp_path / "test")) == ["v1"]


def _versions(connect: Callable[[], http.client.HTTPConnection]) -> Any:
    with contextlib.closing(connect()) as connection:
        connection.request("GET", "/api/")
        return json.loads(connection.getresponse().read())["versions"]


def test_custom_resources_with_a_schema(api: E2eClient, kubectl: Kubectl) -> None:
    definition = random_definition(api, FOO, ("v1",), namespaced=True)
    head = {"kind": definition.kind, "apiVersion": definition.api_version, "metadata": {"name": "test-foo"}}

    def custom(**spec: Any) -> str:
        return json.dumps({**head, "spec": spec})

    for verb in ("create", "apply"):
        kubectl(verb, "-f", "-", stdin=custom(bars=[{"name": "test-bar"}]))
        kubectl("delete", definition.plural, "test-foo")
        for spec, complaint in (
            ({"bars": [{"name": "test-bar", "feeling": "NonExistentValue"}]}, 'Unsupported value: "NonExistentValue"'),
            ({"foo": True}, 'unknown field "spec.foo"'),
            ({"bars": [{"age": "10"}]}, "spec.bars[0].name: Required value"),
        ):
            refused = kubectl.attempt(verb, "-f", "-", stdin=custom(**spec))
            assert refused.returncode != 0
            assert complaint in refused.stderr
    plural = f"{definition.plural}.{definition.group}"
    for what, pattern in (
        ("", r"DESCRIPTION:.*Foo CRD for Testing.*FIELDS:.*apiVersion.*<string>.*APIVersion defines.*spec.*<Object>.*"
             "Specification of Foo"),
        (".metadata", r"DESCRIPTION:.*Standard object's metadata.*FIELDS:.*creationTimestamp.*<string>.*"
                      "CreationTimestamp is a timestamp"),
        (".spec", r"DESCRIPTION:.*Specification of Foo.*FIELDS:.*bars.*<\[\]Object>.*List of Bars and their specs"),
        (".spec.bars", r"(FIELD|RESOURCE):.*bars.*<\[\]Object>.*DESCRIPTION:.*List of Bars and their specs.*FIELDS:.*"
                       r"bazs.*<\[\]string>.*List of Bazs.*name.*<string>.*Name of Bar"),
    ):  # fmt: skip
        explained = kubectl("explain", f"{definition.plural}{what}")
        assert re.search(pattern, explained, re.DOTALL), explained
    missing = kubectl.attempt("explain", f"{definition.plural}.spec.bars2")
    assert 'field "bars2" does not exist' in missing.stderr
    kubectl("delete", "crd", plural)


NESTED = {
    "description": "preserve-unknown-properties in nested field for Testing",
    "type": "object",
    "properties": {
        "spec": {
            "description": "Specification of Waldo",
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "status": {"description": "Status of Waldo", "type": "object", "properties": {"bars": {"type": "string"}}},
    },
}
ROOT = {
    **NESTED,
    "description": "preserve-unknown-properties at root for Testing",
    "x-kubernetes-preserve-unknown-fields": True,
}


@pytest.mark.parametrize(
    ("schema", "body", "pattern"),
    [
        (None, {"a": {"b": [{"c": "d"}]}}, "DESCRIPTION:.*<empty>"),
        (ROOT, {"a": {"b": [{"c": "d"}]}}, "KIND:.*WishIHad"),
        (NESTED, {"spec": {"a": None, "b": [{"c": "d"}]}}, "DESCRIPTION:.*preserve-unknown-properties in nested field"),
    ],
)
def test_custom_resources_with_unknown_fields(
    api: E2eClient, kubectl: Kubectl, schema: Any, body: Any, pattern: str
) -> None:
    definition = random_definition(api, schema, ("v1",), namespaced=True)
    whole = {"kind": definition.kind, "apiVersion": definition.api_version, "metadata": {"name": "test-cr"}, **body}
    for verb in ("create", "apply"):
        kubectl(verb, "-f", "-", stdin=json.dumps(whole))
        kubectl("delete", definition.plural, "test-cr")
    explained = kubectl("explain", definition.plural)
    assert re.search(pattern, explained, re.DOTALL), explained
    kubectl("delete", "crd", f"{definition.plural}.{definition.group}")
