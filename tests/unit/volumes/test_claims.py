"""What is decided about one claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.volumes.claims import (
    FIRST_CONSUMER,
    NO_CLASS,
    Answer,
    Bind,
    Provision,
    SetClass,
    Stay,
    View,
    decide_claim,
)
from skerry.engine.controllers.volumes.matching import best_volume, best_volume_at
from skerry.engine.controllers.volumes.writing import bound_claim, bound_volume, status_when_bound
from skerry.kube.objects import Obj, name_of
from tests.unit.volumes.objects import claim, storage_class, volume

SELECTED = {"volume.kubernetes.io/selected-node": "node"}
DONE = {"pv.kubernetes.io/bind-completed": "yes"}
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def decide(one: Obj, *volumes: Obj, classes: Sequence[Obj] = (), pods: Sequence[str] = ()) -> Answer:
    by_name = {name_of(each): each for each in volumes}
    known = {name_of(each): each for each in classes}
    view = View(by_name.get, lambda _: volumes, known.get, lambda: list(classes), lambda _: pods)
    return decide_claim(one, view)


def remark(answer: Answer) -> tuple[str, str]:
    assert isinstance(answer, Stay)
    assert answer.remark is not None
    return answer.remark.reason, answer.remark.message


def test_of_volumes_that_fit_the_smallest_is_bound() -> None:
    large, fitting, small = volume("a", "9Gi"), volume("b", "2Gi"), volume("c", "1Mi")
    assert decide(claim(), large, fitting, small) == Bind(fitting)
    assert decide(claim(size="10Gi"), large, fitting) == Stay("Pending", NO_CLASS)


def test_a_volume_with_fewer_modes_comes_before_a_smaller_one() -> None:
    many = volume("many", "1Gi", accessModes=["ReadWriteOnce", "ReadWriteMany"])
    assert decide(claim(), many, volume("plain", "5Gi")) == Bind(volume("plain", "5Gi"))


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ({}, {"storageClassName": "fast"}),
        ({}, {"phase": "Released"}),
        ({}, {"volumeMode": "Block"}),
        ({}, {"volumeAttributesClassName": "gold"}),
        ({}, {"of": claim("other")}),
        ({"accessModes": ["ReadWriteMany"]}, {}),
        ({"selector": {"matchLabels": {"disk": "ssd"}}}, {"labels": {"disk": "hdd"}}),
    ],
)
def test_a_volume_that_does_not_fit_is_left(wanted: dict[str, Any], there: dict[str, Any]) -> None:
    assert decide(claim(**wanted), volume("disk", **there)) == Stay("Pending", NO_CLASS)


def test_a_volume_kept_for_the_claim_is_its_own_also_with_and_without_uid() -> None:
    mine = claim(storageClassName="late")
    late = storage_class("late", waits=True)
    kept = volume("kept", "8Gi", claimRef={"namespace": "ns", "name": "data"})
    for own in (kept, volume("kept", "8Gi", of=mine)):
        assert decide(mine, volume("small", storageClassName="late"), own, classes=[late]) == Bind(own)
    of_the_elder = volume("kept", "8Gi", claimRef={"namespace": "ns", "name": "data", "uid": "gone"})
    assert decide(claim(), of_the_elder) == Stay("Pending", NO_CLASS)


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ({"size": "1Mi"}, "requested PV is too small"),
        ({"storageClassName": "x"}, "storageClassName does not match"),
        ({"volumeAttributesClassName": "x"}, "volumeAttributesClassName does not match"),
        ({"volumeMode": "Block"}, "incompatible volumeMode"),
        ({"accessModes": ["ReadOnlyMany"]}, "incompatible accessMode"),
    ],
)
def test_a_claim_that_names_its_volume_is_told_why_it_cannot_have_it(there: dict[str, Any], why: str) -> None:
    named = claim(volumeName="disk")
    assert decide(named) == Stay("Pending")
    assert decide(named, volume("disk")) == Bind(volume("disk"))
    found = remark(decide(named, volume("disk", **there)))
    assert found == ("VolumeMismatch", f'Cannot bind to requested volume "disk": {why}')


def test_a_named_volume_of_somebody_else_is_waited_for() -> None:
    answer = decide(claim(volumeName="disk"), volume("disk", of=claim("other")))
    assert remark(answer) == ("FailedBinding", 'volume "disk" already bound to a different claim.')


def test_classes_decide_what_an_unbound_claim_waits_for() -> None:
    now, late = storage_class("now"), storage_class("late", waits=True)
    static = storage_class("static", provisioner="kubernetes.io/no-provisioner")
    assert decide(claim(storageClassName="now"), classes=[now]) == Provision("example.com/disks")
    missing = remark(decide(claim(storageClassName="gone")))
    assert missing == ("ProvisioningFailed", 'storageclass.storage.k8s.io "gone" not found')
    none = remark(decide(claim(storageClassName="static"), classes=[static]))
    assert none == ("ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner")
    waiting = claim(storageClassName="late")
    assert decide(waiting, volume("x", storageClassName="late"), classes=[late]) == Stay("Pending", FIRST_CONSUMER)
    consumers = remark(decide(waiting, classes=[late], pods=["b", "a"]))
    assert consumers == ("WaitForPodScheduled", "waiting for pods a,b to be scheduled")
    chosen = claim(storageClassName="late", annotations=SELECTED)
    assert decide(chosen, classes=[late]) == Provision("example.com/disks")


def test_a_claim_without_a_class_gets_the_newest_default_class_when_there_is_one() -> None:
    unset = claim()
    del unset["spec"]["storageClassName"]
    old = storage_class("old", annotations=DEFAULT, made="2026-01-01T00:00:00Z")
    new = storage_class("new", annotations=DEFAULT, made="2026-02-01T00:00:00Z")
    assert decide(unset, classes=[new, old, storage_class("other")]) == SetClass("new")
    assert decide(unset, volume("disk"), classes=[new]) == Bind(volume("disk"))
    assert decide(unset, classes=[storage_class("other")]) == Stay("Pending", NO_CLASS)
    assert decide(claim(storageClassName=""), classes=[new]) == Stay("Pending", NO_CLASS)


def test_a_bound_claim_is_lost_with_its_volume() -> None:
    bound = claim(volumeName="disk", annotations=DONE)
    own = volume("disk", of=bound)
    assert decide(bound, own) == Bind(own)
    assert decide(bound, volume("disk")) == Bind(volume("disk"))
    lost = decide(bound)
    assert isinstance(lost, Stay)
    assert lost.phase == "Lost"
    assert remark(lost) == ("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
    assert remark(decide(bound, volume("disk", of=claim("other"))))[0] == "ClaimMisbound"
    unnamed = remark(decide(claim(annotations=DONE)))
    assert unnamed[1].startswith("Bound claim has lost reference to PersistentVolume.")


def test_a_binding_is_written_once() -> None:
    mine, disk = claim(), volume("disk", "2Gi")
    taken = bound_volume(disk, mine)
    assert taken["spec"]["claimRef"]["uid"] == "uid-data"
    assert taken["metadata"]["annotations"] == {"pv.kubernetes.io/bound-by-controller": "yes"}
    assert bound_volume(taken, mine) is taken
    bound = bound_claim(mine, taken)
    assert bound["spec"]["volumeName"] == "disk"
    assert set(bound["metadata"]["annotations"]) == {*DONE, "pv.kubernetes.io/bound-by-controller"}
    assert bound_claim(bound, taken) is bound
    kept = volume("kept", claimRef={"namespace": "ns", "name": "data"})
    assert not bound_volume(kept, mine)["metadata"]["annotations"]
    assert set(bound_claim(claim(volumeName="kept"), kept)["metadata"]["annotations"]) == set(DONE)


def test_the_capacity_of_a_bound_claim_is_left_to_who_expands_it() -> None:
    disk = volume("disk", "2Gi")
    assert status_when_bound(claim(), disk) == {
        "phase": "Bound",
        "capacity": {"storage": "2Gi"},
        "accessModes": ["ReadWriteOnce"],
    }
    grown = claim(phase="Bound", capacity="1Gi")
    assert status_when_bound(grown, disk)["capacity"] == {"storage": "1Gi"}


sizes = st.integers(1, 6).map(lambda number: f"{number}Gi")
modes = st.lists(st.sampled_from(["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"]), min_size=1, unique=True)


@given(st.lists(st.tuples(sizes, modes), max_size=5), sizes, modes)
def test_what_is_chosen_fits_and_nothing_that_fits_is_missed(
    there: list[tuple[str, list[str]]], size: str, wanted: list[str]
) -> None:
    volumes = [volume(f"v{number}", size, accessModes=has) for number, (size, has) in enumerate(there)]
    asking = claim(size=size, accessModes=wanted)
    fitting = [one for one in volumes if set(wanted) <= set(one["spec"]["accessModes"])]
    fitting = [one for one in fitting if one["spec"]["capacity"]["storage"] >= size]
    found = best_volume(asking, volumes, waits=False)
    assert (found is None) == (not fitting)
    assert found is None or found in fitting
    assert best_volume_at(asking, volumes, lambda _: True) == found
    assert best_volume_at(asking, volumes, lambda _: False) is None
