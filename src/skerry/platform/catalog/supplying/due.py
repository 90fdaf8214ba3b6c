"""When the upstream of a Release is looked at again. Pure."""

from __future__ import annotations

from datetime import datetime

from skerry.kube.clock import parse_time
from skerry.kube.conditions import condition_is_true
from skerry.kube.objects import Obj, annotations_of
from skerry.platform.base.upstreams import FETCHED, REFRESH, REFRESH_MINUTES, Upstream, fetched_of


def seconds_left(release: Obj, upstream: Upstream, now: datetime) -> float | None:
    """Where what was fetched is there; None for never, unless somebody asks."""
    fetched = fetched_of(release)
    if fetched.get("asked", "") != annotations_of(release).get(REFRESH, "") or not condition_is_true(release, FETCHED):
        return 0.0
    if upstream.is_fixed:
        return None
    return max(0.0, seconds_between(release) - (now - parse_time(fetched["looked"])).total_seconds())


def seconds_between(release: Obj) -> float:
    """One look and the next."""
    return float(release["spec"].get("refreshMinutes") or REFRESH_MINUTES) * 60
