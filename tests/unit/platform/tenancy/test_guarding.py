"""What guards refuse, decided without a cluster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.objects import Obj, name_of
from skerry.platform.projects.guarding.namespaces import owner_by_name, protected_changes
from skerry.platform.projects.guarding.placement import with_sites
from skerry.platform.projects.guarding.projects import refused_changes

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
NAMES = st.from_regex(r"[a-c](-?[a-c]){0,4}", fullmatch=True)


def named(name: str) -> Obj:
    return {"metadata": {"name": name}}


@given(NAMES, st.sets(NAMES, max_size=6))
def test_a_namespace_is_of_the_longest_project_it_begins_with(namespace: str, projects: set[str]) -> None:
    found = owner_by_name(namespace, [named(one) for one in projects])
    begins = [one for one in projects if f"{namespace}-".startswith(f"{one}-")]
    assert (name_of(found) if found is not None else None) == (max(begins, key=len) if begins else None)


def test_labels_that_decide_are_protected() -> None:
    old = {"metadata": {"labels": {"skerry.dev/project": "a", "team": "x"}, "annotations": {"note": "1"}}}
    new = {
        "metadata": {
            "labels": {"team": "y", "pod-security.kubernetes.io/warn": "restricted"},
            "annotations": {"scheduler.alpha.kubernetes.io/node-selector": "x=y", "note": "2"},
        }
    }
    assert protected_changes(old, old) == []
    assert protected_changes(old, new) == [
        "label pod-security.kubernetes.io/warn",
        "label skerry.dev/project",
        "annotation scheduler.alpha.kubernetes.io/node-selector",
    ]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"description": "x", "state": "Hibernated", "members": [{"user": "b", "role": "owner"}]}, []),
        ({"namespaces": ["lidar", "lidar-x"]}, []),
        ({"namespaces": ["lidarx"]}, ["namespace lidarx is not named lidar-...: only operators give a project other"]),
        ({"members": [{"user": "system:serviceaccount:a:b", "role": "viewer"}]}, []),
        ({"members": [{"group": "system:masters", "role": "viewer"}]}, ["system:masters is a name of the cluster's"]),
        ({"tier": "big", "owner": "b"}, ["only operators change spec.owner", "only operators change spec.tier; ask"]),
        ({"somethingNew": 1}, ["only operators change spec.somethingNew"]),
    ],
)
def test_what_owners_may_change(change: Obj, text: list[str]) -> None:
    old: Obj = {"metadata": {"name": "lidar"}, "spec": {"owner": "a", "namespaces": ["lidar"]}}
    complaints = refused_changes("lidar", old, {**old, "spec": {**old["spec"], **change}})
    assert len(complaints) == len(text)
    assert all(one.startswith(begin) for one, begin in zip(complaints, text, strict=True))


def test_metadata_of_a_project() -> None:
    old: Obj = {"metadata": {"name": "lidar", "finalizers": ["skerry.dev/project"]}, "spec": {}}
    new: Obj = {"metadata": {"name": "lidar", "labels": {"skerry.dev/x": "1", "mine": "1"}}, "spec": {}}
    assert refused_changes("lidar", old, new) == [
        "only operators change metadata.finalizers",
        "only operators change label skerry.dev/x",
    ]


@pytest.mark.parametrize("affinity", [{}, {"podAffinity": {"x": 1}}, {"nodeAffinity": {"preferred": []}}])
def test_sites_are_required(affinity: Obj) -> None:
    made = with_sites(affinity, ["north", "south"])
    site = {"key": "skerry.dev/site", "operator": "In", "values": ["north", "south"]}
    assert made["nodeAffinity"][REQUIRED] == {"nodeSelectorTerms": [{"matchExpressions": [site]}]}
    assert {**made, "nodeAffinity": None} == {**affinity, "nodeAffinity": None}


def test_sites_are_required_in_every_alternative() -> None:
    zone: dict[str, Any] = {"key": "zone", "operator": "Exists"}
    terms = [
        {"matchExpressions": [zone]},
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]},
    ]
    made = with_sites({"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}, ["north"])
    found = made["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert [one["matchExpressions"][-1]["values"] for one in found] == [["north"], ["north"]]
    assert found[0]["matchExpressions"][0] == zone
    assert found[1]["matchFields"] == terms[1]["matchFields"]
