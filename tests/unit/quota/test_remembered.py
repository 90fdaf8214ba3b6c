"""What objects use is worked out once for each state of them, and is what it would be anyway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from skerry.engine.controllers.resourcequota.remembered import Remembered
from skerry.engine.controllers.resourcequota.status import quota_status
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.kube.quota.usage import usage

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def pod(version: str, cpu: str, **metadata: object) -> Obj:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    return {
        "metadata": {"name": "p", "uid": "1", "resourceVersion": version, **metadata},
        "spec": {"containers": [container]},
    }


def test_each_state_counts_as_it_is() -> None:
    remembered = Remembered()
    first, grown = pod("1", "1"), pod("2", "2")
    assert remembered.using("pods", first, NOW) == usage("pods", first, NOW)
    assert remembered.using("pods", first, NOW) is remembered.using("pods", first, NOW)
    assert remembered.using("pods", grown, NOW) == usage("pods", grown, NOW)
    remembered.forget("1")
    assert remembered.using("pods", first, NOW) == usage("pods", first, NOW)
    quota: Obj = {"spec": {"hard": {"requests.cpu": "5", "pods": "3"}}}
    objects = {"pods": [first, pod("7", "500m", uid="2")]}
    assert quota_status(quota, objects, NOW, remembered.using) == quota_status(quota, objects, NOW)
    assert quota_status(quota, objects, NOW)["used"] == {"pods": "2", "requests.cpu": "1500m"}


def test_of_a_pod_that_is_going_away_time_decides() -> None:
    remembered = Remembered()
    going = pod("1", "1", deletionTimestamp=rfc3339(NOW), deletionGracePeriodSeconds=10)
    assert "pods" in remembered.using("pods", going, NOW)
    assert "pods" not in remembered.using("pods", going, NOW + timedelta(seconds=11))
