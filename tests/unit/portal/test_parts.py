"""What belongs to an app: by label, and by who made it."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj
from skerry.kube.resources import DEPLOYMENTS, JOBS, PERSISTENT_VOLUME_CLAIMS, PODS, REPLICA_SETS
from skerry.portal.apps.parts import events_of, parts_of


def _made(name: str, owner: str = "", **labels: str) -> Obj:
    metadata: dict[str, Any] = {"name": name, "uid": f"uid-{name}", "labels": labels}
    if owner:
        metadata["ownerReferences"] = [{"controller": True, "uid": f"uid-{owner}", "name": owner, "kind": "X"}]
    return {"metadata": metadata}


OURS = {"skerry.dev/release": "notebook"}
HELM = {"app.kubernetes.io/instance": "notebook", "app.kubernetes.io/managed-by": "Helm"}
LISTED = {
    DEPLOYMENTS: [_made("web", **OURS), _made("other", **{"skerry.dev/release": "x", **HELM})],
    REPLICA_SETS: [_made("web-5d", "web"), _made("other-77", "other")],
    JOBS: [_made("test", **HELM)],
    PODS: [_made("web-5d-b", "web-5d"), _made("web-5d-a", "web-5d"), _made("other-77-a", "other-77", **HELM),
           _made("test-1", "test"), _made("stray")],
    PERSISTENT_VOLUME_CLAIMS: [_made("data", **OURS)],
}  # fmt: skip


def test_from_the_release_down_to_its_pods() -> None:
    parts = parts_of("notebook", LISTED)
    assert [one["metadata"]["name"] for one in parts.workloads] == ["web", "test"]
    # other-77-a carries Helm's label, which its own chart may have given it; it is not ours by owner, but by label
    assert [one["metadata"]["name"] for one in parts.pods] == ["other-77-a", "test-1", "web-5d-a", "web-5d-b"]
    assert {("Deployment", "web"), ("PersistentVolumeClaim", "data"), ("Release", "notebook")} <= parts.names


def test_by_the_name_that_helm_was_given() -> None:
    assert [one["metadata"]["name"] for one in parts_of("n2", LISTED, "notebook").workloads] == ["test"]


def test_events_are_those_of_its_parts() -> None:
    parts = parts_of("notebook", LISTED)
    events = [{"involvedObject": {"kind": kind, "name": name}} for kind, name in
              (("Pod", "web-5d-a"), ("Pod", "stray"), ("Deployment", "web"), ("Service", "web"))]  # fmt: skip
    assert [one["involvedObject"]["name"] for one in events_of(events, parts)] == ["web-5d-a", "web"]
