"""What an archive holds: manifests that can be applied again, and nothing that would be made anyway."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, DEPLOYMENTS, JOBS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES
from skerry.platform.projects.lifecycle.archiving import packing
from skerry.platform.projects.lifecycle.archiving.manifests import is_kept, manifest
from skerry.platform.projects.lifecycle.archiving.packing import packed, part_secret, unpacked

PROJECT: Obj = {"metadata": {"name": "lidar", "uid": "0123456789abcdef"}}
_LIVE = {"uid": "1", "resourceVersion": "7", "managedFields": [], "finalizers": ["x"], "creationTimestamp": "now"}


def test_only_what_somebody_has_made_is_kept() -> None:
    def named(name: str, **metadata: object) -> Obj:
        return {"metadata": {"name": name, **metadata}}

    owned = {"ownerReferences": [{"controller": True, "kind": "ReplicaSet", "name": "web"}]}
    assert is_kept(PODS, named("bare"))
    assert not is_kept(PODS, named("web-1", **owned))
    assert not is_kept(CONFIG_MAPS, named("kube-root-ca.crt"))
    assert not is_kept(SECRETS, named("skerry-pull-x", labels={"skerry.dev/made-for": "lidar"}))
    assert not is_kept(SECRETS, {**named("old"), "type": "kubernetes.io/service-account-token"})


def test_manifests_have_nothing_that_only_their_cluster_knows() -> None:
    live: Obj = {
        "metadata": {"name": "web", "namespace": "lidar", **_LIVE},
        "spec": {"replicas": 0},
        "status": {"x": 1},
    }
    assert manifest(DEPLOYMENTS, live) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "lidar"},
        "spec": {"replicas": 0},
    }
    service = manifest(
        SERVICES, {"metadata": {"name": "s"}, "spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"]}}
    )
    assert service["spec"] == {}
    assert manifest(SERVICES, {"metadata": {}, "spec": {"clusterIP": "None"}})["spec"] == {"clusterIP": "None"}
    bound = {"pv.kubernetes.io/bind-completed": "yes", "volume.kubernetes.io/selected-node": "n", "mine": "1"}
    spec = {"volumeName": "pvc-1", "resources": {"requests": {"storage": "10Gi"}}}
    claim = manifest(
        PERSISTENT_VOLUME_CLAIMS,
        {"metadata": {"name": "data", "namespace": "lidar", "annotations": bound}, "spec": spec},
    )
    assert (claim["metadata"]["annotations"], "volumeName" in claim["spec"]) == ({"mine": "1"}, False)
    labels = {"batch.kubernetes.io/controller-uid": "1", "app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {}}
    job = manifest(JOBS, {"metadata": {"name": "j", "labels": labels}, "spec": {"selector": {}, "template": template}})
    assert job["spec"] == {"template": {"metadata": {"labels": {"app": "a"}}, "spec": {}}}


@given(st.lists(st.dictionaries(st.text(), st.text())), st.integers(1, 50))
def test_what_was_packed_is_what_is_unpacked(objects: list[Obj], size: int) -> None:
    before, packing._PART = packing._PART, size
    try:
        parts = packed(objects)
    finally:
        packing._PART = before
    secrets = [part_secret(PROJECT, number, part) for number, part in enumerate(parts)]
    assert unpacked(reversed(secrets))["items"] == objects
