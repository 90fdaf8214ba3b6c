"""Names, contents and owners of the claims of a StatefulSet."""

from __future__ import annotations

import pytest

from skerry.engine.controllers.statefulset.claims import build_claims, changed_owners, claim_names, is_stale
from skerry.kube.objects import Obj, name_of, owner_reference
from skerry.kube.resources import PODS, STATEFUL_SETS

from .builders import pod
from .sets import stateful_set

TEMPLATES = [
    {"metadata": {"name": "data", "labels": {"tier": "fast", "app": "x"}, "annotations": {"a": "b"}}, "spec": {"x": 1}},
    {"metadata": {"name": "logs"}, "spec": {}},
]
POD = pod("web-1")


def owner(deleted: str = "Retain", scaled: str = "Retain") -> Obj:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    return stateful_set(2, volumeClaimTemplates=TEMPLATES, persistentVolumeClaimRetentionPolicy=policy)


SET_REF, POD_REF = owner_reference(owner(), STATEFUL_SETS), owner_reference(POD, PODS)
OTHER = {"apiVersion": "v1", "kind": "Thing", "name": "t", "uid": "u"}


def claim(*references: Obj) -> Obj:
    return {"metadata": {"name": "data-web-1", "namespace": "ns", "ownerReferences": list(references)}}


def test_names_and_contents() -> None:
    assert claim_names(owner(), 1) == {"data": "data-web-1", "logs": "logs-web-1"}
    data, logs = build_claims(owner(), 1)
    assert data["metadata"]["labels"] == {"tier": "fast", "app": "web"}, "the selector's labels win"
    assert (data["metadata"]["annotations"], data["spec"]) == ({"a": "b"}, {"x": 1})
    assert name_of(logs) == "logs-web-1"
    assert "ownerReferences" not in data["metadata"]
    assert build_claims(owner("Delete"), 1)[0]["metadata"]["ownerReferences"] == [SET_REF]


@pytest.mark.parametrize(
    ("deleted", "scaled", "condemned", "expected"),
    [
        ("Retain", "Retain", False, []),
        ("Retain", "Retain", True, []),
        ("Delete", "Retain", False, [SET_REF]),
        ("Delete", "Retain", True, [SET_REF]),
        ("Retain", "Delete", False, []),
        ("Retain", "Delete", True, [POD_REF]),
        ("Delete", "Delete", False, [SET_REF]),
        ("Delete", "Delete", True, [POD_REF]),
    ],
)
def test_who_owns_a_claim(deleted: str, scaled: str, condemned: bool, expected: list[Obj]) -> None:
    mine = owner(deleted, scaled)
    for before in ([], [SET_REF], [POD_REF], [SET_REF, POD_REF]):
        wanted = changed_owners(claim(*before), mine, POD, condemned=condemned)
        assert (before if wanted is None else wanted) == expected
        assert (wanted is None) == (before == expected)


def test_references_of_others_stay_and_another_controller_wins() -> None:
    assert changed_owners(claim(OTHER), owner("Delete"), POD, condemned=False) == [OTHER, SET_REF]
    controller = {**OTHER, "controller": True}
    assert changed_owners(claim(controller), owner("Delete"), POD, condemned=False) is None
    assert changed_owners(claim(controller, SET_REF), owner("Delete"), POD, condemned=False) == [controller]


def test_a_reference_to_an_earlier_pod_of_the_name_is_stale() -> None:
    assert is_stale(claim(POD_REF), "web-1")
    assert not is_stale(claim(POD_REF), "web-2")
    assert not is_stale(claim(SET_REF), "web-1")
