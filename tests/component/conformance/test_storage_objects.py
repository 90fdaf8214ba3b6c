"""Kubernetes' `test/e2e/storage/{csi_node,csi_inline,volume_attachment,storageclass,persistent_volumes}.go`, as far as
they need no driver."""

from __future__ import annotations

import uuid
from typing import Any

from tests.component.conformance.objects import pod
from tests.support.program import eventually
from tests.support.replay import MERGE, STRATEGIC, Replay


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:5]}"


def life_cycle(client: Replay, resource: str, **body: Any) -> None:
    """Made, read, labelled by a patch, found by the label, deleted; another labelled by an update and deleted by it."""
    first, second = unique("e2e"), unique("e2e")
    made = client.create(resource, {"metadata": {"name": first, "uid": first}, **body})
    assert made["metadata"]["uid"] != first
    assert client.get(resource, first)["metadata"]["name"] == first
    patched = client.patch(resource, first, {"metadata": {"labels": {first: "patched"}}}, kind=STRATEGIC)
    assert patched["metadata"]["labels"] == {first: "patched"}
    assert len(client.list(resource, labelSelector=f"{first}=patched")["items"]) == 1
    client.delete(resource, first)
    eventually(lambda: not client.list(resource, labelSelector=f"{first}=patched")["items"], "the end")
    client.create(resource, {"metadata": {"name": second}, **body})
    client.change(resource, second, lambda now: now["metadata"].update(labels={second: "updated"}))
    client.delete_collection(resource, {}, labelSelector=f"{second}=updated")
    eventually(lambda: not client.list(resource, labelSelector=f"{second}=updated")["items"], "the end of the other")


def attachment(node: str) -> Any:
    spec = {"attacher": "e2e-test.storage.k8s.io", "nodeName": node, "source": {"persistentVolumeName": "pv-e2e"}}
    return {"spec": spec, "status": {"attached": False}}


def test_the_life_of_a_csi_node(whole_cluster: Replay) -> None:
    """Its list of drivers is not there at all, as Go's clients send an empty one."""
    life_cycle(whole_cluster, "csinodes", spec={"drivers": None})
    life_cycle(whole_cluster, "csinodes", spec={})


def test_the_life_of_a_volume_attachment(whole_cluster: Replay) -> None:
    node = whole_cluster.list("nodes")["items"][0]["metadata"]["name"]
    life_cycle(whole_cluster, "volumeattachments", **attachment(node))


def test_the_life_of_a_storage_class(whole_cluster: Replay) -> None:
    life_cycle(whole_cluster, "storageclasses", provisioner="e2e-fake-provisioner")


def test_the_life_of_a_csi_driver(whole_cluster: Replay) -> None:
    modes = {"volumeLifecycleModes": ["Persistent", "Ephemeral"], "fsGroupPolicy": "ReadWriteOnceWithFSType"}
    life_cycle(whole_cluster, "csidrivers", spec=modes)


def test_the_status_of_a_volume_attachment(whole_cluster: Replay) -> None:
    name = unique("va")
    node = whole_cluster.list("nodes")["items"][0]["metadata"]["name"]
    whole_cluster.create("volumeattachments", {"metadata": {"name": name}, **attachment(node)})
    read = whole_cluster.get("volumeattachments", name, "status")
    assert not (read.get("status") or {}).get("attached")
    patched = whole_cluster.patch("volumeattachments", name, {"status": {"attached": True}}, "status", MERGE)
    assert patched["status"]["attached"] is True
    updated = whole_cluster.change(
        "volumeattachments", name, lambda now: now["status"].update(attached=False), "status"
    )
    assert updated["status"]["attached"] is False
    whole_cluster.delete("volumeattachments", name)
    assert name not in [one["metadata"]["name"] for one in whole_cluster.list("volumeattachments")["items"]]


def volume_and_claim(replay: Replay, whole_cluster: Replay) -> tuple[Any, Any]:
    """Named by the server, as the framework makes them: a volume of a driver that is not there."""
    own, labels = replay.namespace, {"e2e-pv-pool": replay.namespace}
    source = {"driver": unique("e2e-driver"), "volumeHandle": "e2e-conformance"}
    spec = {
        "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
        "capacity": {"storage": "2Gi"},
        "csi": source,
        "storageClassName": own,
        "persistentVolumeReclaimPolicy": "Retain",
        "volumeMode": "Filesystem",
    }
    volume = whole_cluster.create(
        "persistentvolumes", {"metadata": {"generateName": f"{own}-", "labels": labels}, "spec": spec}
    )
    asks = {
        "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": own,
        "selector": {"matchLabels": labels},
    }
    claim = replay.create("persistentvolumeclaims", {"metadata": {"generateName": "pvc-"}, "spec": asks})
    assert claim["status"]["phase"] == "Pending"
    eventually(
        lambda: replay.get("persistentvolumeclaims", claim["metadata"]["name"])["status"]["phase"] == "Bound", "binding"
    )
    return volume, claim


def test_the_life_of_a_volume_and_its_claim(replay: Replay, whole_cluster: Replay) -> None:
    pool = {"labelSelector": f"e2e-pv-pool={replay.namespace}"}
    for how in ("patch", "update"):
        volume, claim = volume_and_claim(replay, whole_cluster)
        for client, resource, made in (
            (whole_cluster, "persistentvolumes", volume),
            (replay, "persistentvolumeclaims", claim),
        ):
            name = made["metadata"]["name"]
            if how == "patch":
                changed = client.patch(resource, name, {"metadata": {"labels": {name: "x"}}}, kind=STRATEGIC)
            else:
                changed = client.change(
                    resource, name, lambda now, name=name: now["metadata"].setdefault("labels", {}).update({name: "x"})
                )
            assert changed["metadata"]["labels"][name] == "x"
            assert changed["metadata"]["uid"] == made["metadata"]["uid"]
            assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
        for client, resource, made in (
            (replay, "persistentvolumeclaims", claim),
            (whole_cluster, "persistentvolumes", volume),
        ):
            name = made["metadata"]["name"]
            assert len(client.list(resource, everywhere=True, labelSelector=f"{name}=x")["items"]) == 1
            if how == "patch":
                client.delete(resource, name)
            else:
                client.delete_collection(resource, {}, labelSelector=f"{name}=x")
            eventually(
                lambda client=client, resource=resource, name=name: (
                    not client.list(resource, labelSelector=f"{name}=x")["items"]
                ),
                f"the end of {name}",
            )
    assert not whole_cluster.list("persistentvolumes", **pool)["items"]


def test_the_status_of_a_volume_and_its_claim(replay: Replay, whole_cluster: Replay) -> None:
    volume, claim = (one["metadata"]["name"] for one in volume_and_claim(replay, whole_cluster))
    claims, volumes = "persistentvolumeclaims", "persistentvolumes"
    assert replay.get(claims, claim, "status")["status"]["phase"] == "Bound"
    assert whole_cluster.get(volumes, volume, "status")["status"]["phase"] == "Bound"
    condition = {"type": "StatusPatched", "status": "True", "reason": "E2E patchedStatus", "message": "Set from e2e"}
    patched = replay.patch(claims, claim, {"status": {"conditions": [condition]}}, "status", MERGE)
    (seen,) = patched["status"]["conditions"]
    assert {key: seen[key] for key in condition} == condition
    reason = {"message": "StatusPatched", "reason": "E2E patchStatus"}
    assert whole_cluster.patch(volumes, volume, {"status": reason}, "status", MERGE)["status"].items() >= reason.items()
    more = {**condition, "type": "StatusUpdated", "lastProbeTime": None, "lastTransitionTime": None}
    updated = replay.change(claims, claim, lambda now: now["status"]["conditions"].append(more), "status")
    assert [one["type"] for one in updated["status"]["conditions"]] == ["StatusPatched", "StatusUpdated"]
    reason = {"message": "StatusUpdated", "reason": "E2E updateStatus"}
    changed = whole_cluster.change(volumes, volume, lambda now: now["status"].update(reason), "status")
    assert changed["status"].items() >= reason.items()
    replay.delete(claims, claim)
    whole_cluster.delete(volumes, volume)


def test_a_pod_with_inline_volumes(replay: Replay) -> None:
    second = {"name": "b", "csi": {"driver": "e2e.example.com", "fsType": "ext4", "readOnly": True}}
    volumes = [{"name": "a", "csi": {"driver": "e2e.example.com"}}, second]
    made = replay.create("pods", pod("inline", volumes=volumes))
    assert made["spec"]["volumes"][:2] == volumes
    assert replay.get("pods", "inline")["metadata"]["uid"] == made["metadata"]["uid"]
    patched = replay.patch("pods", "inline", {"metadata": {"annotations": {"patched": "true"}}}, kind=MERGE)
    assert patched["metadata"]["annotations"]["patched"] == "true"
    replay.delete("pods", "inline")
