"""What an administrator is told of a cluster's volumes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from skerry.cli.storage.described import describe
from skerry.cli.storage.findings import findings
from skerry.cli.storage.reading import Everything
from skerry.cli.storage.repair import outcome
from skerry.cli.storage.totals import totals
from skerry.cli.volumes.facts import Measured
from skerry.kube.objects import Obj

GI = 2**30


def volume(name: str, phase: str = "Bound", claim: str = "a", reclaim: str = "Delete", **spec: Any) -> Obj:
    return {
        "metadata": {"name": name},
        "spec": {
            "storageClassName": "local",
            "capacity": {"storage": "1Gi"},
            "persistentVolumeReclaimPolicy": reclaim,
            "claimRef": {"namespace": "team", "name": claim, "uid": f"uid-{claim}"},
            "csi": {"driver": "d", "volumeHandle": f"h-{name}"},
            **spec,
        },
        "status": {"phase": phase},
    }


def claim(name: str, volume_name: str, phase: str = "Bound") -> Obj:
    return {
        "metadata": {"name": name, "namespace": "team", "uid": f"uid-{name}"},
        "spec": {"volumeName": volume_name, "storageClassName": "local", "accessModes": ["ReadWriteOnce"]},
        "status": {"phase": phase, "capacity": {"storage": "1Gi"}},
    }


CLASS: Obj = {
    "metadata": {"name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "d",
    "allowVolumeExpansion": True,
    "parameters": {"fsType": "ext4"},
}
POOL: Obj = {"metadata": {"name": "d"}, "status": {"available": 5 * GI}}
NODE: Obj = {"metadata": {"name": "n1"}}
FINE = Everything(classes=[CLASS], volumes=[volume("v1")], claims=[claim("a", "v1")], pools=[POOL], nodes=[NODE])


def reasons(found: Everything) -> list[str]:
    return [one.reason for one in findings(found)]


def test_nothing_is_wrong_with_what_is_in_order() -> None:
    unbound = volume("v2", "Available", claimRef=None)
    going = {**volume("v3", "Released", claim="gone"), "metadata": {"name": "v3", "deletionTimestamp": "now"}}
    deleted = volume("v4", "Released", claim="gone")
    assert reasons(replace(FINE, volumes=[*FINE.volumes, unbound, going, deleted])) == []


def test_volumes_and_claims_without_each_other() -> None:
    kept = volume("v2", "Released", claim="gone", reclaim="Retain")
    failed = {**volume("v3", "Failed", claim="gone"), "status": {"phase": "Failed", "message": "disk broke"}}
    found = findings(replace(FINE, volumes=[kept, failed], claims=[claim("b", "nowhere", "Lost")]))
    assert [one.reason for one in found] == ["VolumeWithoutClaim", "VolumeWithoutClaim", "ClaimLost"]
    assert found[0].message == "1.0 GiB that were team/gone's (Released, Retain)"
    assert found[1].message.endswith(": disk broke")


def test_what_only_the_machine_knows() -> None:
    status = {
        "orphans": [{"handle": "h9", "size": GI, "since": "2026-01-02T03:04:05Z"}],
        "missing": [{"persistentVolume": "v1", "handle": "h-v1", "claim": "team/a"}],
        "conditions": [{"type": "Ready", "status": "False", "message": "the driver is not there"}],
    }
    found = findings(replace(FINE, pools=[{**POOL, "status": status}]))
    assert [one.reason for one in found] == ["DriverUnavailable", "DataGone", "Orphan"]
    assert found[2].help == "skerry storage repair --reclaim h9"


def test_attachments_and_snapshots_of_what_is_gone() -> None:
    attachment = {"metadata": {"name": "at"}, "spec": {"nodeName": "n2", "source": {"persistentVolumeName": "v9"}}}
    fine = {"metadata": {"name": "ok"}, "spec": {"nodeName": "n1", "source": {"persistentVolumeName": "v1"}}}
    snapshot = {"metadata": {"name": "s", "namespace": "team"}, "status": {"boundVolumeSnapshotContentName": "c0"}}
    content = {
        "metadata": {"name": "c1"},
        "spec": {"deletionPolicy": "Retain", "volumeSnapshotRef": {"namespace": "team", "name": "gone"}},
    }
    found = findings(replace(FINE, attachments=[attachment, fine], snapshots=[snapshot], contents=[content]))
    assert [one.reason for one in found] == ["StaleAttachment", "SnapshotLost", "SnapshotWithoutOwner"]
    assert found[0].message == "PersistentVolume v9 and node n2 are gone"


def test_what_the_volumes_of_a_class_add_up_to() -> None:
    classless = volume("v9", storageClassName="")
    (local, none) = totals(
        replace(FINE, volumes=[volume("v1"), volume("v2", claim="b"), classless]), {("team", "a"): Measured(used=7)}
    )
    assert (local.volumes, local.promised, local.used, local.available) == (2, 2 * GI, 7, 5 * GI)
    assert (local.default, local.expands, local.reclaim) == (True, True, "Delete")
    assert (none.name, none.volumes, none.available) == ("", 1, None)


def test_one_of_each_in_full() -> None:
    reachable = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["n1"]}
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [reachable]}]}}
    snapshot = {
        "metadata": {"name": "s", "namespace": "team"},
        "spec": {"source": {"persistentVolumeClaimName": "a"}},
    }
    found = replace(FINE, volumes=[volume("v1", nodeAffinity=affinity)], snapshots=[snapshot])
    of_class = describe("class", "local", "team", found, {})
    of_volume = describe("volume", "v1", "team", found, {})
    of_claim = describe("claim", "a", "team", found, {})
    assert of_class is not None
    assert (of_class["parameters"], of_class["volumeNames"]) == ({"fsType": "ext4"}, ["v1"])
    assert of_volume is not None
    assert (of_volume["claim"], of_volume["handle"], of_volume["nodes"]) == ("team/a", "h-v1", ["n1"])
    assert of_claim is not None
    assert (of_claim["snapshots"], of_claim["wrong"]) == (["s"], [])
    assert describe("claim", "a", "elsewhere", found, {}) is None


def test_a_request_to_reclaim_is_over_when_each_is_deleted_or_refused() -> None:
    refused = [{"handle": "b", "message": "in use"}]
    waiting = {"spec": {"reclaim": ["b"]}, "status": {"refused": refused}}
    assert not outcome(waiting, ["b"]).done, "this refusal is of another time"
    over = outcome({"spec": {"reclaim": []}, "status": {"refused": refused}}, ["a", "b"])
    assert (over.done, over.kept) == (True, ["b: in use"])
    assert outcome({"spec": {}}, ["a"]).done
