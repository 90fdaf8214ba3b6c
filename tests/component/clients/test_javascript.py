"""`@kubernetes/client-node`: objects, patches, a watch, an informer: `tests/support/javascript/machinery.mjs`."""

from __future__ import annotations

from skerry.testing import Cluster
from tests.support.javascript import Javascript


def test_objects_watches_and_informers(javascript: Javascript, shared_cluster: Cluster, namespace: str) -> None:
    seen = javascript.run("machinery.mjs", str(shared_cluster.kubeconfig), namespace)
    assert seen["patched"] == {"a": "1", "b": "2"}
    assert seen["missing"] == 404
    assert seen["applied"] == {"a": "1", "b": "2", "c": "3"}
    assert seen["watched"] == ["ADDED", "DELETED"]
    assert "Running" in seen["informed"]
