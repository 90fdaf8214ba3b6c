"""What Kubernetes' tests named "should support ... API operations" have in common: `test/e2e/network/{ingress,
ingressclass,netpol/network_policy_api,service_cidrs}.go` and `test/e2e/storage/{csi_inline,storageclass,
volume_attachment,csistoragecapacity,volumeattributesclass}.go`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.replay import MERGE, Refused, Replay

BACKEND = {"service": {"name": "default-backend", "port": {"number": 8080}}}
RULE = {"host": "foo.bar.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND}]}}
NAMESPACED: dict[str, Any] = {
    "ingresses": {"spec": {"defaultBackend": BACKEND, "rules": [RULE]}},
    "networkpolicies": {"spec": {"podSelector": {"matchLabels": {"pod-name": "test-pod"}}, "policyTypes": ["Ingress"]}},
    "csistoragecapacities": {
        "storageClassName": "example",
        "capacity": "100Gi",
        "maximumVolumeSize": "10Gi",
        "nodeTopology": {"matchLabels": {"zone": "a"}},
    },
    "persistentvolumeclaims": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "x",
        }
    },
    "secrets": {"data": {"key": "dmFsdWU="}, "type": "Opaque"},
    "configmaps": {"data": {"key": "value"}},
}
GLOBAL: dict[str, Any] = {
    "ingressclasses": {"spec": {"controller": "example.com/controller"}},
    "storageclasses": {"provisioner": "e2e-fake-provisioner", "reclaimPolicy": "Delete"},
    "csidrivers": {"spec": {"attachRequired": True, "podInfoOnMount": True, "volumeLifecycleModes": ["Ephemeral"]}},
    "csinodes": {"spec": {"drivers": []}},
    "volumeattachments": {
        "spec": {"attacher": "e2e.example.com", "nodeName": "n", "source": {"persistentVolumeName": "pv"}}
    },
    "volumeattributesclasses": {"driverName": "e2e.example.com", "parameters": {"a": "b"}},
    "persistentvolumes": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "hostPath": {"path": "/tmp/e2e"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "x",
        }
    },
    "servicecidrs": {"spec": {"cidrs": ["10.196.196.0/24"]}},
    "priorityclasses": {"value": 5},
}


def all_operations(client: Replay, resource: str, body: Any) -> None:
    chosen = {"labelSelector": "special-label=yes"}
    for number in range(3):
        metadata = {"name": f"{resource}-{number}", "labels": {"special-label": "yes"}}
        made = client.create(resource, {**body, "metadata": metadata})
    name = f"{resource}-0"
    with pytest.raises(Refused) as refused:
        client.create(resource, {**body, "metadata": {"name": name}})
    assert refused.value.status["reason"] == "AlreadyExists"
    assert client.get(resource, made["metadata"]["name"])["metadata"]["uid"] == made["metadata"]["uid"]
    listed = client.list(resource, **chosen)
    assert len(listed["items"]) == 3
    assert len(client.list(resource, everywhere=True, **chosen)["items"]) == 3
    with client.watching(resource, listed["metadata"]["resourceVersion"], **chosen) as events:
        patched = client.patch(resource, name, {"metadata": {"annotations": {"patched": "true"}}}, kind=MERGE)
        events.until("MODIFIED", lambda seen: seen["metadata"]["annotations"].get("patched"))
        assert patched["metadata"]["annotations"]["patched"] == "true"
        updated = client.change(resource, name, lambda now: now["metadata"]["annotations"].update(updated="true"))
        assert updated["metadata"]["annotations"]["updated"] == "true"
        events.until("MODIFIED", lambda seen: seen["metadata"]["annotations"].get("updated"))
        client.delete(resource, name)
        events.until("DELETED" if resource not in HELD else "MODIFIED")
        client.delete_collection(resource, {}, **chosen)
        events.until("DELETED")


HELD = ("persistentvolumes", "persistentvolumeclaims")
"""A finalizer holds these for a moment."""


@pytest.mark.parametrize("resource", NAMESPACED)
def test_operations_in_a_namespace(replay: Replay, resource: str) -> None:
    all_operations(replay, resource, NAMESPACED[resource])


@pytest.mark.parametrize("resource", GLOBAL)
def test_operations_in_the_cluster(whole_cluster: Replay, resource: str) -> None:
    all_operations(whole_cluster, resource, GLOBAL[resource])


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("ingresses", {"loadBalancer": {"ingress": [{"ip": "169.1.1.1"}]}}),
        ("persistentvolumeclaims", {"conditions": [{"type": "StatusUpdate", "status": "True", "reason": "E2E"}]}),
    ],
)
def test_status(replay: Replay, resource: str, status: Any) -> None:
    replay.create(resource, {**NAMESPACED[resource], "metadata": {"name": "one"}})
    patch = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": status}
    answer = replay.patch(resource, "one", patch, "status", MERGE)
    assert answer["metadata"]["annotations"]["patchedstatus"] == "true"
    for part, value in status.items():
        assert answer["status"][part][0 if part == "conditions" else "ingress"] is not None, value
    changed = replay.change(resource, "one", lambda now: now["status"].update(status), "status")
    assert changed["status"].keys() >= status.keys()


def test_the_default_range_of_services(whole_cluster: Replay) -> None:
    made = whole_cluster.get("servicecidrs", "kubernetes")
    status = whole_cluster.get("servicecidrs", "kubernetes", "status")
    assert status["kind"] == "ServiceCIDR"
    assert status["metadata"]["uid"] == made["metadata"]["uid"]
    (ready,) = status["status"]["conditions"]
    assert (ready["type"], ready["status"]) == ("Ready", "True")


def test_addresses(whole_cluster: Replay) -> None:
    parent = {"group": "mygroup", "resource": "myresources", "namespace": "foo", "name": "bar"}
    for name, label in (("255.255.255.255", "broadcast"), ("fe80::42:1dff:fe84:f9e2", "link-local")):
        metadata = {"name": name, "labels": {"type": label}}
        whole_cluster.create("ipaddresses", {"metadata": metadata, "spec": {"parentRef": parent}})
    patch = {"metadata": {"annotations": {"patched": "true"}}}
    whole_cluster.patch("ipaddresses", "255.255.255.255", patch, kind=MERGE)
    now = whole_cluster.get("ipaddresses", "255.255.255.255")
    now["metadata"]["annotations"]["updated"] = "true"
    whole_cluster.update("ipaddresses", now)
    assert len(whole_cluster.list("ipaddresses", labelSelector="type=broadcast")["items"]) == 1
    whole_cluster.delete("ipaddresses", "255.255.255.255")
    whole_cluster.delete_collection("ipaddresses", {}, labelSelector="type=link-local")
    assert not whole_cluster.list("ipaddresses")["items"]
    with pytest.raises(Refused):
        whole_cluster.create("ipaddresses", {"metadata": {"name": "10.0.0.01"}, "spec": {"parentRef": parent}})
