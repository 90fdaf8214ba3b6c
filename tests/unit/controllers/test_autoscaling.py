"""How many pods a load asks for, and how fast their number may change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.autoscaling.limits import History, limited
from skerry.engine.controllers.autoscaling.usage import CannotTell, Measured, Target, Tolerance, measurements, propose
from skerry.kube.objects import Obj
from tests.unit.controllers.builders import NOW, ago, pod

HALF = Target("cpu", percent=50)
AVERAGE = Target("memory", average=100_000)


def worker(name: str, **fields: Any) -> Obj:
    """A pod that asks for 100 millicores and started an hour ago."""
    made = pod(name, ready_for=3000, **fields)
    made["spec"]["containers"] = [{"name": "app", "resources": {"requests": {"cpu": "100m"}}}]
    made["status"]["startTime"] = ago(fields.get("started", 3600))
    return made


def frugal(name: str) -> Obj:
    """One that asks for nothing."""
    made = worker(name)
    made["spec"]["containers"] = [{"name": "app"}]
    return made


def used(*values: int) -> dict[str, Measured]:
    """Measurements of pods a, b, c, ..."""
    return {chr(97 + number): Measured(value, NOW, timedelta()) for number, value in enumerate(values)}


def asked(target: Target, pods: list[Obj], metrics: dict[str, Measured]) -> int:
    return propose(target, pods, metrics, len(pods), (NOW, Tolerance())).replicas


@pytest.mark.parametrize(
    ("values", "replicas"),
    [
        ((50, 50), 2),
        ((100, 100), 4),
        ((10, 10), 1),
        ((54, 54), 2),  # within the tolerance
        ((56, 56), 3),
        ((0, 0), 0),
    ],
)
def test_by_utilization(values: tuple[int, ...], replicas: int) -> None:
    assert asked(HALF, [worker("a"), worker("b")], used(*values)) == replicas


def test_by_average_amount() -> None:
    assert asked(AVERAGE, [worker("a"), worker("b")], used(300_000, 100_000)) == 4


@pytest.mark.parametrize(
    ("pods", "values", "replicas"),
    [
        ([worker("a"), worker("b")], (100,), 2),  # b, not measured, counts as idle: 50 % on average
        ([worker("a"), worker("b")], (200,), 4),
        ([worker("a"), worker("b")], (10,), 2),  # b counts as fully used
        ([worker("a"), worker("b", phase="Pending")], (100, 0), 2),
        ([worker("a"), worker("b", deleting=True)], (100, 100), 2),
        ([worker("a"), worker("b", ready=False, started=60)], (100, 900), 2),  # it is starting
    ],
)
def test_pods_that_say_nothing_damp(pods: list[Obj], values: tuple[int, ...], replicas: int) -> None:
    assert asked(HALF, pods, used(*values)) == replicas


@pytest.mark.parametrize(
    ("pods", "metrics", "why"),
    [
        ([], used(1), "no pods returned by selector"),
        ([worker("a", phase="Pending")], used(1), "did not receive metrics for targeted pods"),
        ([frugal("a")], used(1), "missing request for cpu in container app of Pod a"),
    ],
)
def test_what_cannot_be_told(pods: list[Obj], metrics: dict[str, Measured], why: str) -> None:
    with pytest.raises(CannotTell, match=why):
        asked(HALF, pods, metrics)


def test_figures_of_one_container_or_all() -> None:
    containers = [{"name": "app", "usage": {"cpu": "10m"}}, {"name": "proxy", "usage": {"cpu": "5m"}}]
    item = {"metadata": {"name": "a"}, "timestamp": ago(0), "window": "1m30.5s", "containers": containers}
    assert measurements([item], Target("cpu"))["a"] == Measured(15, NOW, timedelta(seconds=90.5))
    assert measurements([item], Target("cpu", "proxy"))["a"].value == 5
    with pytest.raises(CannotTell, match="no metrics returned"):
        measurements([item], Target("memory"))


def autoscaler(**spec: Any) -> Obj:
    return {"metadata": {"name": "web"}, "spec": {"minReplicas": 1, "maxReplicas": 20, **spec}}


@pytest.mark.parametrize(
    ("current", "wanted", "count", "reason"),
    [
        (4, 6, 6, "DesiredWithinRange"),
        (4, 50, 8, "ScaleUpLimit"),  # no more than twice as many
        (1, 50, 4, "ScaleUpLimit"),
        (15, 50, 20, "TooManyReplicas"),
        (4, 0, 1, "TooFewReplicas"),
    ],
)
def test_bounds(current: int, wanted: int, count: int, reason: str) -> None:
    result = limited(autoscaler(), current, wanted, History(), NOW)
    assert (result.count, result.bound[0]) == (count, reason)


def test_no_shrinking_within_five_minutes_of_a_higher_recommendation() -> None:
    history = History([(NOW - timedelta(seconds=200), 9)])
    result = limited(autoscaler(), 9, 3, history, NOW)
    assert (result.count, result.stabilized[0]) == (9, "ScaleDownStabilized")
    assert limited(autoscaler(), 9, 3, History([(NOW - timedelta(seconds=301), 9)]), NOW).count == 3


def test_growing_may_be_held_back_as_well() -> None:
    behavior = {"scaleUp": {"stabilizationWindowSeconds": 60, "policies": [_policy("Percent", 100)]}}
    history = History([(NOW - timedelta(seconds=30), 3)])
    result = limited(autoscaler(behavior=behavior), 3, 6, history, NOW)
    assert (result.count, result.stabilized[0]) == (3, "ScaleUpStabilized")


def _policy(kind: str, value: int, period: int = 60) -> Obj:
    return {"type": kind, "value": value, "periodSeconds": period}


@pytest.mark.parametrize(("select", "up", "down"), [("Max", 14, 5), ("Min", 12, 8), ("Disabled", 10, 10)])
def test_policies(select: str, up: int, down: int) -> None:
    rules = {"selectPolicy": select, "stabilizationWindowSeconds": 0}
    behavior = {
        "scaleUp": {**rules, "policies": [_policy("Pods", 4), _policy("Percent", 20)]},
        "scaleDown": {**rules, "policies": [_policy("Pods", 2), _policy("Percent", 50)]},
    }
    of = autoscaler(behavior=behavior)
    assert limited(of, 10, 19, History(), NOW).count == up
    assert limited(of, 10, 1, History(), NOW).count == down


def test_a_rate_counts_what_has_just_been_done() -> None:
    behavior = {"scaleUp": {"stabilizationWindowSeconds": 0, "policies": [_policy("Pods", 4)]}}
    history = History()
    history.rescaled(7, 10, NOW - timedelta(seconds=30))
    assert limited(autoscaler(behavior=behavior), 10, 19, history, NOW).count == 11


@given(st.integers(1, 20), st.integers(0, 100), st.lists(st.integers(0, 30), max_size=5), st.booleans())
def test_bounds_always_hold(current: int, wanted: int, recent: list[int], behaves: bool) -> None:
    spec = {"behavior": {"scaleUp": {"policies": [_policy("Pods", 1)]}, "scaleDown": {"policies": []}}}
    history = History([(NOW - timedelta(seconds=number * 20), count) for number, count in enumerate(recent)])
    result = limited(autoscaler(minReplicas=2, **(spec if behaves else {})), current, wanted, history, NOW)
    assert min(current, 2) <= result.count <= 20
