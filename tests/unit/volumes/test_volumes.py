"""What is decided about one volume, and how a released one is deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.engine.controllers.volumes.ephemeral import build_claim
from skerry.engine.controllers.volumes.reclaiming import refusal, remove_directory
from skerry.engine.controllers.volumes.users import claims_used, foreign
from skerry.engine.controllers.volumes.volumes import (
    LookAtClaim,
    Mismatched,
    Phase,
    Release,
    Unbind,
    decide_volume,
    is_deleted_elsewhere,
    unbound,
)
from tests.unit.controllers.builders import pod
from tests.unit.volumes.objects import claim, volume

BOUND_HERE = {"pv.kubernetes.io/bound-by-controller": "yes"}
MADE = {"pv.kubernetes.io/provisioned-by": "example.com/disks"}


def test_phases() -> None:
    mine = claim(volumeName="disk")
    assert decide_volume(volume("disk"), None) == Phase("Available")
    assert decide_volume(volume("disk", claimRef={"namespace": "ns", "name": "data"}), mine) == Phase("Available")
    assert decide_volume(volume("disk", of=mine), mine) == Phase("Bound")
    assert decide_volume(volume("disk", of=mine), claim()) == LookAtClaim()
    assert isinstance(decide_volume(volume("disk", of=mine, volumeMode="Block"), claim()), Mismatched)


def test_a_volume_is_released_with_its_claim_and_by_a_new_claim_of_the_name() -> None:
    mine = claim(volumeName="disk")
    newer = {**mine, "metadata": {**mine["metadata"], "uid": "another"}}
    for there in (None, newer):
        assert decide_volume(volume("disk", of=mine), there) == Release()


def test_a_volume_whose_claim_has_another_is_given_back_or_deleted() -> None:
    elsewhere = claim(volumeName="other")
    assert decide_volume(volume("disk", of=elsewhere), elsewhere) == Unbind()
    made = volume("disk", of=elsewhere, annotations=MADE, persistentVolumeReclaimPolicy="Delete")
    assert decide_volume(made, elsewhere) == Release()
    free = unbound(volume("disk", of=elsewhere, annotations=BOUND_HERE))
    assert "claimRef" not in free["spec"]
    assert free["metadata"]["annotations"] == {}
    kept = unbound(volume("disk", of=elsewhere))
    assert kept["spec"]["claimRef"]["name"] == "data"
    assert "uid" not in kept["spec"]["claimRef"]


@pytest.mark.parametrize("path", ["/tmp", "/tmp/../etc", "/tmp/a/../../etc", "/srv/tmp/x", "tmp/x", "/"])
def test_only_host_paths_below_tmp_are_deleted(path: str) -> None:
    wrong = volume("disk", hostPath={"path": path})
    assert refusal(wrong).startswith("host_path deleter only supports /tmp/.+ but received provided ")
    assert refusal(volume("disk", hostPath={"path": "/tmp/x"})) == ""
    foreign = volume("disk", nfs={"server": "s", "path": "/"})
    expected = 'error getting deleter volume plugin for volume "disk": no deletable volume plugin matched'
    assert refusal(foreign) == expected
    assert is_deleted_elsewhere(volume("disk", annotations=MADE))
    assert not is_deleted_elsewhere(volume("disk"))


def test_a_directory_is_deleted_but_not_through_a_link(tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    (data / "deep").mkdir(parents=True)
    (other / "kept").mkdir(parents=True)
    (data / "link").symlink_to(other)
    with pytest.raises(OSError, match=r"kept|link"):
        remove_directory(str(data / "link" / "kept"))
    assert (other / "kept").is_dir()
    remove_directory(str(data))
    remove_directory(str(data))
    assert not data.exists()
    assert (other / "kept").is_dir()


def test_which_claims_a_pod_keeps() -> None:
    volumes = [{"name": "a", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "b", "ephemeral": {}}]
    both = {"ns/data", "ns/web-b"}
    assert set(claims_used(pod("web", spec={"volumes": volumes}))) == both
    assert set(claims_used(pod("web", phase="Succeeded", spec={"volumes": volumes}))) == both
    assert not list(claims_used(pod("web", node="", spec={"volumes": volumes})))
    ending = pod("web", deleting=True, spec={"volumes": volumes})
    assert set(claims_used(ending)) == both
    ending["metadata"]["deletionGracePeriodSeconds"] = 0
    assert set(claims_used(ending)) == {"ns/data"}


def test_a_claim_for_a_pod_is_the_pods() -> None:
    spec = {"accessModes": ["ReadWriteOnce"]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    owner = pod("web")
    made = build_claim(owner, {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}})
    assert made["metadata"]["name"] == "web-scratch"
    assert made["metadata"]["labels"] == {"a": "b"}
    assert made["spec"] == spec
    assert foreign(owner, made) == ""
    why = "PVC ns/web-scratch was not created for pod ns/web (pod is not owner)"
    assert foreign(owner, claim("web-scratch")) == why
