"""When a project is put to sleep because nobody makes use of it. Pure.

Capability `usage` measures what pods use and writes `status.activity`; here that is compared with the tier's policy.
What was not measured counts as use. Sleep is the one that owners can ask for (`spec.state`), so one command wakes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from skerry.kube.clock import parse_time
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj
from skerry.platform.projects.types import SLEEPS_BECAUSE, TierSpec


def idle_for(project: Obj, tier: TierSpec) -> str:
    """Why it is to be put to sleep, "" when it is not."""
    activity = _activity(project)
    since = _awake_since(project)
    if tier.idle is None or activity is None or since is None:
        return ""
    measured, used = activity
    if measured - max(used, since) < timedelta(hours=tier.idle.after_hours):
        return ""
    return f"its pods have used less than {tier.idle.cpu} CPU since {max(used, since):%Y-%m-%d %H:%M} UTC"


def sleep_patch(project: Obj, why: str) -> Obj:
    """The merge patch of the project as it was seen: not of one whose owner has said something else meanwhile."""
    metadata = {"resourceVersion": project["metadata"]["resourceVersion"], "annotations": {SLEEPS_BECAUSE: why}}
    return {"metadata": metadata, "spec": {"state": "Hibernated"}}


def _activity(project: Obj) -> tuple[datetime, datetime] | None:
    """Until when it was measured, and when it was used last."""
    written = (project.get("status") or {}).get("activity")
    return (parse_time(written["until"]), parse_time(written["last"])) if written else None


def _awake_since(project: Obj) -> datetime | None:
    """Who wakes it makes use of it."""
    lasting = condition_of(project, "Lasting")
    return parse_time(lasting["lastTransitionTime"]) if lasting is not None and lasting["status"] == "True" else None
