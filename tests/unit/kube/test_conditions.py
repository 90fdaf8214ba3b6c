"""Conditions: found, set with the rule for the transition time, taken out; what is given stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from skerry.kube.conditions import condition_is_true, condition_of, with_condition, without_condition
from skerry.kube.objects import Obj

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
BEFORE = "2026-11-22T09:00:00Z"
READY: Obj = {"type": "Ready", "status": "True", "reason": "Fine", "lastTransitionTime": BEFORE}
OTHER: Obj = {"type": "Other", "status": "False", "lastTransitionTime": BEFORE}


@pytest.mark.parametrize("obj", [{}, {"status": None}, {"status": {}}, {"status": {"conditions": None}}])
def test_no_conditions(obj: Obj) -> None:
    assert condition_of(obj, "Ready") is None
    assert not condition_is_true(obj, "Ready")


def test_only_true_is_true() -> None:
    obj = {"status": {"conditions": [OTHER, READY]}}
    assert condition_of(obj, "Other") == OTHER
    assert condition_is_true(obj, "Ready")
    assert not condition_is_true(obj, "Other")


def test_the_transition_time_stays_while_the_status_stays() -> None:
    given = [READY, OTHER]
    same = with_condition(given, {"type": "Ready", "status": "True", "reason": "Better"}, NOW)
    assert same == [{**READY, "reason": "Better"}, OTHER]
    other = with_condition(given, {"type": "Ready", "status": "False"}, NOW)
    assert other == [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-22T10:00:00Z"}, OTHER]
    assert given == [READY, OTHER]


def test_a_new_condition_comes_last_and_one_can_be_taken_out() -> None:
    new = with_condition([OTHER], {"type": "Ready", "status": "True"}, NOW)
    assert [one["type"] for one in new] == ["Other", "Ready"]
    assert without_condition(new, "Other") == new[1:]
