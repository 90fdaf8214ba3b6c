"""Claims, volumes and classes: what is refused, and what may change when."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema import validation
from skerry.engine.schema.printing.printers import printer_of
from skerry.kube.objects import Obj, copy_of
from tests.unit.schema.objects import CORE, REGISTRY, changed, created, problems

CLAIMS, VOLUMES = CORE["persistentvolumeclaims"], CORE["persistentvolumes"]
CLASSES = {kind.resource.plural: kind for kind in REGISTRY.kinds("storage.k8s.io", "v1")}["storageclasses"]
SNAPSHOT = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "monday"}
SIZE = "spec.resources.requests.storage"
BOUND = {"phase": "Bound", "capacity": {"storage": "2Gi"}}


def claim(size: str = "1Gi", **spec: Any) -> Obj:
    resources = {"requests": {"storage": size}}
    return {"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources, **spec}}


def volume(**spec: Any) -> Obj:
    spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **spec}
    return {"metadata": {"name": "v"}, "spec": spec}


def asking(size: str) -> Any:
    return lambda obj: obj["spec"].update(resources={"requests": {"storage": size}})


def test_a_bound_claim_grows_and_what_cannot_be_had_is_taken_back() -> None:
    old = created(CLAIMS, claim("2Gi"))
    named, causes = changed(CLAIMS, old, lambda obj: obj["spec"].update(volumeName="pv"))
    assert not causes
    assert "spec" in changed(CLAIMS, named, lambda obj: obj["spec"].update(volumeName="other"))[1]
    assert "spec" in changed(CLAIMS, named, asking("3Gi"))[1]
    bound = {**named, "status": BOUND}
    grown, causes = changed(CLAIMS, bound, asking("9Gi"))
    assert not causes
    assert not changed(CLAIMS, grown, asking("5Gi"))[1]
    assert "status.capacity" in changed(CLAIMS, grown, asking("2Gi"))[1][SIZE]
    assert "status.capacity" in changed(CLAIMS, bound, asking("1Gi"))[1][SIZE]


def test_a_class_is_given_to_a_claim_without_one_only() -> None:
    def given(name: str) -> Any:
        return lambda obj: obj["spec"].update(storageClassName=name)

    assert not changed(CLAIMS, created(CLAIMS, claim()), given("fast"))[1]
    assert "spec" in changed(CLAIMS, created(CLAIMS, claim(storageClassName="")), given("fast"))[1]
    old = created(CLAIMS, claim())
    old["metadata"]["annotations"] = {"volume.beta.kubernetes.io/storage-class": "old"}
    assert "spec" in changed(CLAIMS, old, given("fast"))[1]
    change = changed(CLAIMS, old, lambda obj: obj["metadata"].update(annotations={}))[1]
    assert "field is immutable" in change["metadata.annotations.volume.beta.kubernetes.io/storage-class"]


def test_attributes_may_change_but_not_go() -> None:
    old = created(CLAIMS, claim(volumeAttributesClassName="gold"))
    assert not changed(CLAIMS, old, lambda obj: obj["spec"].update(volumeAttributesClassName="iron"))[1]
    assert "to nil" in changed(CLAIMS, old, lambda obj: obj["spec"].pop("volumeAttributesClassName"))[1].popitem()[1]


def test_where_data_come_from_is_said_in_both_fields() -> None:
    spec = created(CLAIMS, claim(dataSource=SNAPSHOT))["spec"]
    assert spec["dataSourceRef"] == SNAPSHOT
    assert created(CLAIMS, claim(dataSourceRef=SNAPSHOT))["spec"]["dataSource"] == SNAPSHOT
    other = {"apiGroup": "example.com", "kind": "Seed", "name": "s"}
    assert "dataSource" not in created(CLAIMS, claim(dataSource=other))["spec"]
    assert created(CLAIMS, claim(dataSourceRef=other))["spec"]["dataSource"] == other


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]}, "spec.accessModes", "may not use ReadWriteOncePod"),
        ({"resources": {"requests": {"storage": "0"}}}, "spec.resources[storage]", "must be greater than zero"),
        ({"dataSourceRef": {"kind": "Seed", "name": "s"}}, "spec.dataSourceRef", "must be 'PersistentVolumeClaim'"),
        ({"dataSourceRef": {"kind": "PersistentVolumeClaim"}}, "spec.dataSourceRef.name", "Required value"),
        (
            {"dataSource": SNAPSHOT, "dataSourceRef": {**SNAPSHOT, "name": "tuesday"}},
            "spec",
            "must match dataSourceRef",
        ),
        ({"dataSourceRef": {**SNAPSHOT, "namespace": "n"}}, "spec.dataSourceRef.namespace", "another namespace"),
        (
            {"selector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
            "spec.selector.matchExpressions[0].operator",
            "not a valid selector operator",
        ),
    ],
)
def test_claims_that_are_refused(spec: Obj, field: str, message: str) -> None:
    assert message in problems(CLAIMS, claim(**spec))[field]


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({}, "spec", "must specify a volume type"),
        ({"hostPath": {"path": "/x"}, "nfs": {"server": "s", "path": "/"}}, "spec.nfs", "more than 1 volume type"),
        ({"hostPath": {"path": "/x/../y"}}, "spec.hostPath.path", "must not contain '..'"),
        ({"local": {"path": "/x"}}, "spec.nodeAffinity", "Local volume requires node affinity"),
        ({"csi": {"driver": "d"}}, "spec.csi.volumeHandle", "Required value"),
        ({"hostPath": {"path": "/x"}, "capacity": {"storage": "0"}}, "spec.capacity[storage]", "greater than zero"),
        ({"hostPath": {"path": "/x"}, "volumeAttributesClassName": "a"}, "spec.csi", "has to be specified"),
        (
            {"hostPath": {"path": "/"}, "persistentVolumeReclaimPolicy": "Recycle"},
            "spec.persistentVolumeReclaimPolicy",
            "may not be 'recycle' for a hostPath mount of '/'",
        ),
    ],
)
def test_volumes_that_are_refused(spec: Obj, field: str, message: str) -> None:
    assert message in problems(VOLUMES, volume(**spec))[field]


def test_a_secret_for_expansion_may_be_added_later_and_nothing_else() -> None:
    old = created(VOLUMES, volume(csi={"driver": "d", "volumeHandle": "h"}))
    secret = {"controllerExpandSecretRef": {"name": "s", "namespace": "n"}}
    added, causes = changed(VOLUMES, old, lambda obj: obj["spec"]["csi"].update(secret))
    assert not causes
    other = {"controllerExpandSecretRef": {"name": "t", "namespace": "n"}}
    for start, change in ((added, other), (old, {"volumeHandle": "x"})):
        causes = changed(VOLUMES, start, lambda obj, change=change: obj["spec"]["csi"].update(change))[1]
        assert "spec.persistentvolumesource" in causes
    assert "deprecated" in VOLUMES.strategy.warnings(volume(persistentVolumeReclaimPolicy="Recycle"), None)[0]


def test_a_new_phase_has_a_new_time_unless_its_writer_says_which() -> None:
    old = created(VOLUMES, volume(hostPath={"path": "/x"}))
    old["status"]["lastPhaseTransitionTime"] = "2026-01-01T00:00:00Z"
    for said, kept in ((None, False), ("2026-02-01T00:00:00Z", True)):
        new = copy_of(old)
        new["status"] = {"phase": "Available", **({"lastPhaseTransitionTime": said} if said else {})}
        VOLUMES.strategy.prepare_status(new, old)
        assert (new["status"]["lastPhaseTransitionTime"] == said) == kept
        assert new["status"]["lastPhaseTransitionTime"] != old["status"]["lastPhaseTransitionTime"]


def test_what_a_resize_says_of_itself_is_checked() -> None:
    old = {**created(CLAIMS, claim()), "status": BOUND}
    for status, message in (
        ({"allocatedResourceStatuses": {"storage": "Soon"}}, "Unsupported value"),
        ({"allocatedResources": {"cpu": "1"}}, "Unsupported value"),
        ({"allocatedResources": {"storage": "3Gi"}, "allocatedResourceStatuses": {"storage": "NodeResizePending"}}, ""),
    ):
        causes = validation.validate_update(CLAIMS, {**old, "status": {**BOUND, **status}}, old)
        assert bool(causes) == bool(message)
        assert all(message in cause.message for cause in causes)


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"provisioner": "a b"}, "provisioner", "Invalid value"),
        ({"parameters": {"": "x"}}, "parameters", "field can not be empty."),
        (
            {"allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": []}]}]},
            "allowedTopologies[0].matchLabelExpressions[0].values",
            "Required value",
        ),
    ],
)
def test_classes_that_are_refused(fields: Obj, field: str, message: str) -> None:
    wrong = {"metadata": {"name": "c"}, "provisioner": "example.com/disks", **fields}
    assert message in problems(CLASSES, wrong)[field]


def test_what_kubectl_shows_of_drivers_and_attachments() -> None:
    shown = {kind.resource.plural: kind for kind in REGISTRY.kinds("storage.k8s.io", "v1")}

    def cells(plural: str, **fields: Any) -> list[Any]:
        row = printer_of(shown[plural]).row
        assert row is not None
        return row({"metadata": {"name": "x"}, **fields}, 0.0)

    spec = {"attachRequired": False, "tokenRequests": [{"audience": "a"}], "volumeLifecycleModes": ["Ephemeral"]}
    assert cells("csidrivers", spec=spec)[1:-1] == ["false", "false", "false", "a", "false", "Ephemeral"]
    assert cells("csinodes", spec={"drivers": [{"name": "d"}]})[1] == 1
    source = {"attacher": "d", "nodeName": "n", "source": {"persistentVolumeName": "pv"}}
    assert cells("volumeattachments", spec=source, status={"attached": True})[1:-1] == ["d", "pv", "n", "true"]
    assert cells("csistoragecapacities", storageClassName="c", capacity="1Gi") == ["x", "c", "1Gi"]
    assert cells("volumeattributesclasses", driverName="d")[1] == "d"
