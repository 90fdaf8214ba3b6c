"""What a volume may be made from, what classes say of Secrets, and that nothing else gets through."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.storage.contract import Ability, Driver, StorageError, VolumeSource
from skerry.engine.storage.provisioning import sources
from skerry.engine.storage.provisioning.parameters import parameters_of
from skerry.engine.storage.secrets import SecretRef
from skerry.engine.storage.snapshots.taking import SnapshotError, class_for
from skerry.kube.objects import Obj


class Cloner(Driver):
    name = "one.example.com"
    abilities = frozenset({Ability.CLONE})


def claim(source: Obj | None = None, **spec: Any) -> Obj:
    metadata = {"name": "new", "namespace": "lab", "uid": "c", "annotations": {"team": "blue"}}
    size = {"resources": {"requests": {"storage": "2Gi"}}}
    return {"metadata": metadata, "spec": {**size, **spec, **({"dataSourceRef": source} if source else {})}}


SNAPSHOT = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "monday"}
TAKEN: Obj = {
    "metadata": {"name": "monday", "namespace": "lab", "uid": "s"},
    "status": {"boundVolumeSnapshotContentName": "content", "readyToUse": True},
}
CONTENT: Obj = {
    "metadata": {"name": "content"},
    "spec": {
        "driver": "one.example.com",
        "sourceVolumeMode": "Filesystem",
        "volumeSnapshotRef": {"namespace": "lab", "name": "monday", "uid": "s"},
    },
    "status": {"snapshotHandle": "handle", "restoreSize": 2**30},
}


def test_a_snapshot_that_is_ready() -> None:
    assert sources.from_snapshot(claim(SNAPSHOT), Cloner(), TAKEN, CONTENT) == VolumeSource(snapshot="handle")


@pytest.mark.parametrize(
    ("taken", "content", "spec", "why"),
    [
        (None, CONTENT, {}, "not found"),
        ({**TAKEN, "metadata": {**TAKEN["metadata"], "uid": "another"}}, CONTENT, {}, "not bound"),
        (TAKEN, None, {}, "not bound"),
        ({**TAKEN, "status": {**TAKEN["status"], "readyToUse": False}}, CONTENT, {}, "not ready"),
        (TAKEN, {**CONTENT, "spec": {**CONTENT["spec"], "driver": "two"}}, {}, "class of the same driver"),
        (TAKEN, {**CONTENT, "status": {**CONTENT["status"], "restoreSize": 2**40}}, {}, "is less than the size"),
        (TAKEN, CONTENT, {"volumeMode": "Block"}, "allow-volume-mode-change"),
    ],
)
def test_a_snapshot_that_cannot_be_restored(taken: Obj | None, content: Obj | None, spec: Obj, why: str) -> None:
    with pytest.raises(StorageError, match=why):
        sources.from_snapshot(claim(SNAPSHOT, **spec), Cloner(), taken, content)


def test_only_what_is_in_the_claims_namespace() -> None:
    with pytest.raises(StorageError, match="own namespace"):
        sources.source_of(claim({**SNAPSHOT, "namespace": "others"}))


def test_a_claim_whose_volume_is_another_drivers_is_not_cloned() -> None:
    origin = {"metadata": {"name": "old", "uid": "o"}, "spec": {}, "status": {"phase": "Bound"}}
    size = {"capacity": {"storage": "1Gi"}, "claimRef": {"uid": "o"}}
    wanted = claim({"kind": "PersistentVolumeClaim", "name": "old"})

    def volume(driver: str) -> Obj:
        return {"spec": {**size, "csi": {"driver": driver, "volumeHandle": "v"}}}

    assert sources.from_claim(wanted, Cloner(), origin, volume(Cloner.name)) == VolumeSource(volume="v")
    with pytest.raises(StorageError, match="class of the same driver"):
        sources.from_claim(wanted, Cloner(), origin, volume("two"))
    with pytest.raises(StorageError, match="cannot clone"):
        sources.from_claim(wanted, Driver(), origin, volume(""))


def test_templates_of_secrets() -> None:
    def parameters(name: str, namespace: str = "${pvc.namespace}") -> Obj:
        prefix = "csi.storage.k8s.io/node-publish-secret-"
        return {"metadata": {"name": "x"}, "parameters": {f"{prefix}name": name, f"{prefix}namespace": namespace}}

    found = parameters_of(parameters("${pvc.annotations['team']}-${pvc.name}-${pv.name}"), claim(), "pvc-c")
    assert found.references == {"nodePublishSecretRef": SecretRef("blue-new-pvc-c", "lab").to_json()}
    assert found.own == {}
    for name, why in (
        ("${pvc.annotations['none']}", "is not known here"),
        ("../../kube-system", "no name"),
        ("", "must have both"),
    ):
        with pytest.raises(StorageError, match=why):
            parameters_of(parameters(name), claim(), "pvc-c")


def test_the_default_class_of_snapshots_is_the_drivers_and_there_is_one() -> None:
    def snapshot_class(name: str, driver: str, *, default: bool = True) -> Obj:
        mark = {"snapshot.storage.kubernetes.io/is-default-class": "true"} if default else {}
        return {"metadata": {"name": name, "annotations": mark}, "driver": driver}

    one, two = snapshot_class("one", "a"), snapshot_class("two", "b")
    plain = snapshot_class("plain", "a", default=False)
    asked: Obj = {"spec": {}}
    assert class_for(asked, "a", [plain, two, one]) is one
    assert class_for({"spec": {"volumeSnapshotClassName": "plain"}}, "a", [plain, one]) is plain
    with pytest.raises(SnapshotError, match="cannot find a default"):
        class_for(asked, "a", [plain, two])
    with pytest.raises(SnapshotError, match="2 default snapshot classes of a were found: more, one"):
        class_for(asked, "a", [one, snapshot_class("more", "a")])
