"""Which volumes nobody speaks of, which PersistentVolumes speak of nothing, and what may be deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from skerry.engine.storage.contract import Volume
from skerry.engine.storage.inspection.comparing import Findings, Objects, Orphan, compare, judge, status
from skerry.kube.objects import Obj

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD = NOW - timedelta(hours=1)


def persistent_volume(handle: str, **spec: Any) -> Obj:
    return {"metadata": {"name": f"pv-{handle}"}, "spec": {"csi": {"driver": "d", "volumeHandle": handle}, **spec}}


def claim(uid: str, **spec: Any) -> Obj:
    return {"metadata": {"name": uid, "uid": uid}, "spec": spec}


def look(volumes: list[str], pvs: list[Obj], claims: list[Obj] | None = None, **seen: datetime) -> Findings:
    return compare("d", listed(volumes), Objects(pvs, claims or []), Findings(seen=seen), NOW)


def listed(handles: list[str]) -> list[Volume]:
    return [Volume(one, 10) for one in handles]


def handles(findings: Findings) -> list[str]:
    return [one.volume.handle for one in findings.orphans]


def test_what_has_a_persistent_volume_is_in_order() -> None:
    found = look(["a"], [persistent_volume("a"), {"metadata": {"name": "other"}, "spec": {"nfs": {}}}], a=OLD)
    assert (handles(found), found.missing, found.seen, found.again) == ([], [], {}, None)


def test_an_orphan_is_one_for_a_while() -> None:
    found = look(["a", "b"], [], a=OLD)
    assert handles(found) == ["a"]
    assert found.seen == {"a": OLD, "b": NOW}
    assert found.again == 60


def test_what_had_a_persistent_volume_is_an_orphan_at_once_unless_it_went_with_it() -> None:
    before = look(["a", "b"], [persistent_volume("a"), persistent_volume("b")])
    found = compare("d", listed(["a", "b"]), Objects([], [], frozenset("b")), before, NOW)
    assert handles(found) == ["a"]
    later = compare("d", listed(["a"]), Objects([], []), found, NOW + timedelta(seconds=1))
    assert [(one.volume.handle, one.since) for one in later.orphans] == [("a", NOW)]


def test_a_clock_set_back_lets_nobody_wait() -> None:
    assert handles(look(["a"], [], a=NOW + timedelta(hours=5))) == ["a"]


def test_a_volume_whose_claim_still_waits_is_no_orphan() -> None:
    assert handles(look(["pvc-u1"], [], [claim("u1")], **{"pvc-u1": OLD})) == []
    bound_elsewhere = [claim("u1", volumeName="other")]
    assert handles(look(["pvc-u1"], [], bound_elsewhere, **{"pvc-u1": OLD})) == ["pvc-u1"]


def test_data_that_is_gone_unless_it_is_meant_to_go() -> None:
    going = {"persistentVolumeReclaimPolicy": "Delete"}
    pvs = [
        persistent_volume("a", claimRef={"namespace": "x", "name": "c"}),
        {**persistent_volume("b", **going), "status": {"phase": "Released"}},
        {**persistent_volume("c"), "status": {"phase": "Released"}},
    ]
    assert [(one.name, one.claim) for one in look([], pvs).missing] == [("pv-a", "x/c"), ("pv-c", "")]


def test_only_orphans_that_are_orphans_still_may_go() -> None:
    findings = Findings(
        volumes=[Volume(one, 1) for one in ("a", "b", "young", "kept")],
        orphans=[Orphan(Volume(one, 1), OLD) for one in ("a", "b")],
    )
    verdict = judge(
        ["a", "b", "young", "kept", "gone"], findings, "d", [persistent_volume("b"), persistent_volume("kept")]
    )
    assert verdict.delete == ["a"]
    assert set(verdict.refused) == {"b", "young", "kept"}
    assert verdict.refused["b"] == "PersistentVolume pv-b has it"


def test_the_status_is_bounded() -> None:
    many = Findings(
        volumes=[Volume(str(one), 2) for one in range(600)],
        orphans=[Orphan(Volume(str(one), 2), OLD) for one in range(600)],
    )
    written = status(many, available=7)
    assert (len(written["orphans"]), written["orphanCount"], written["promised"]) == (500, 600, 1200)
    assert written["available"] == 7
    assert "available" not in status(many, None)
