"""What a PodDisruptionBudget allows, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.disruption.decide import (
    budget_status,
    expected,
    failed_status,
    needs_scale,
    scaled,
    still_disrupted,
)
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def budget(status: Obj | None = None, **spec: Any) -> Obj:
    return {"metadata": {"name": "b", "namespace": "default", "generation": 3}, "spec": spec, "status": status or {}}


def pod(name: str, ready: bool = True, deleting: bool = False) -> Obj:
    metadata = {"name": name, **({"deletionTimestamp": rfc3339(NOW)} if deleting else {})}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": metadata, "spec": {}, "status": {"conditions": conditions}}


def status_of(of: Obj, pods: list[Obj], scale: int = 0) -> Obj:
    return budget_status(of, expected(of, len(pods), scale), pods, still_disrupted(of, pods, NOW), NOW)


@pytest.mark.parametrize(
    ("spec", "scale", "healthy"),
    [
        ({"minAvailable": 2}, 9, 2),
        ({"minAvailable": "50%"}, 5, 3),
        ({"minAvailable": "100%"}, 5, 5),
        ({"maxUnavailable": 1}, 5, 4),
        ({"maxUnavailable": "34%"}, 3, 1),
        ({"maxUnavailable": 9}, 5, 0),
    ],
)
def test_how_many_must_be_healthy(spec: Obj, scale: int, healthy: int) -> None:
    assert expected(budget(**spec), 5, scale).healthy == healthy


@pytest.mark.parametrize(
    ("spec", "needed"),
    [({"minAvailable": 2}, False), ({"minAvailable": "2%"}, True), ({"maxUnavailable": 0}, True), ({}, False)],
)
def test_sizes_of_owners_are_asked_for_only_where_they_matter(spec: Obj, needed: bool) -> None:
    assert needs_scale(budget(**spec)) is needed


@given(st.integers(0, 100), st.integers(0, 10_000))
def test_percentages_round_up_and_stay_inside(percent: int, total: int) -> None:
    found = scaled(f"{percent}%", total)
    assert 0 <= found <= total
    assert (found - 1) * 100 < percent * total <= found * 100 or found == 0


def test_what_is_allowed() -> None:
    pods = [pod("a"), pod("b"), pod("c", ready=False), pod("d", deleting=True)]
    status = status_of(budget(minAvailable=1), pods)
    shown = {name: status[name] for name in ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")}
    assert shown == {"currentHealthy": 2, "desiredHealthy": 1, "disruptionsAllowed": 1, "expectedPods": 4}
    assert status["observedGeneration"] == 3
    assert (status["conditions"][0]["status"], status["conditions"][0]["reason"]) == ("True", "SufficientPods")


def test_nothing_is_allowed_without_pods() -> None:
    assert status_of(budget(maxUnavailable=1), [], 0)["disruptionsAllowed"] == 0


def test_a_granted_eviction_counts_until_its_pod_goes_or_time_runs_out() -> None:
    granted = {name: rfc3339(NOW - timedelta(seconds=age)) for name, age in (("a", 30), ("b", 121), ("gone", 1))}
    of = budget({"disruptedPods": {**granted, "going": rfc3339(NOW)}}, minAvailable=1)
    pods = [pod("a"), pod("b"), pod("c"), pod("going", deleting=True)]
    found = still_disrupted(of, pods, NOW)
    assert (list(found.kept), found.not_deleted, found.next_check) == (["a"], ["b"], 90.0)
    status = status_of(of, pods)
    assert (status["currentHealthy"], status["disruptedPods"]) == (2, {"a": granted["a"]})


def test_what_cannot_be_worked_out_allows_nothing() -> None:
    status = failed_status(budget({"disruptionsAllowed": 4, "currentHealthy": 5}), "why", NOW)
    assert (status["disruptionsAllowed"], status["currentHealthy"]) == (0, 5)
    assert (status["conditions"][0]["reason"], status["conditions"][0]["message"]) == ("SyncFailed", "why")
