"""kopf: an operator with a finalizer and a timer, its custom resource, and what it makes."""

import time
from pathlib import Path

import pytest
from kopf.testing import KopfRunner
from kubernetes import client, config

from skerry.testing import Cluster

GROUP, VERSION, PLURAL = "example.dev", "v1", "buckets"
DEFINITION = {
    "metadata": {"name": f"{PLURAL}.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": PLURAL, "singular": "bucket", "kind": "Bucket"},
        "versions": [
            {
                "name": VERSION,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}
OPERATOR = """
import kopf

@kopf.on.login()
def login(**arguments):
    return kopf.login_with_kubeconfig(**arguments)

@kopf.on.create("example.dev", "v1", "buckets")
def create(spec, **_):
    return {"granted": spec["size"]}

@kopf.timer("example.dev", "v1", "buckets", interval=0.2)
def look(patch, status, **_):
    patch.status["looks"] = status.get("looks", 0) + 1

@kopf.on.delete("example.dev", "v1", "buckets")
def delete(**_):
    pass
"""


def eventually(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_operator(skerry_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(skerry_cluster.kubeconfig))
    operator = tmp_path / "operator.py"
    operator.write_text(OPERATOR)
    with config.new_client_from_config(str(skerry_cluster.kubeconfig)) as api:
        client.ApiextensionsV1Api(api).create_custom_resource_definition(DEFINITION)
        buckets = client.CustomObjectsApi(api)
        place = (GROUP, VERSION, "default", PLURAL)
        with KopfRunner(["run", "--standalone", "--namespace=default", str(operator)], timeout=60) as runner:
            eventually(lambda: buckets.list_namespaced_custom_object(*place))
            wanted = {
                "kind": "Bucket",
                "apiVersion": f"{GROUP}/{VERSION}",
                "metadata": {"name": "b"},
                "spec": {"size": 3},
            }
            buckets.create_namespaced_custom_object(*place, wanted)

            def bucket():
                return buckets.get_namespaced_custom_object(*place, "b")

            eventually(lambda: bucket().get("status", {}).get("create") == {"granted": 3})
            eventually(lambda: bucket()["status"].get("looks", 0) >= 2)
            assert bucket()["metadata"]["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]
            buckets.delete_namespaced_custom_object(*place, "b")
            eventually(lambda: buckets.list_namespaced_custom_object(*place)["items"] == [])
        assert runner.exit_code == 0
        assert runner.exception is None
