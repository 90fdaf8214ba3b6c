"""Whether a project is made use of: what tiers with an idle policy need to know. Pure.

Written as `status.activity` of the Project; what becomes of it is not decided here. What was not measured, or not told
by every node, counts as use: nobody is put to sleep because something is not known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity
from skerry.kube.records import record

_LONGEST_GAP = timedelta(minutes=15)
"""Between two measurements; while pods run they are five minutes apart."""
_SHORTEST = 300
"""Seconds over which what was used is spread: a moment's work is no use."""
_DEFAULT_CPU = "20m"


@record
class Measured:
    """What a project's pods used in a time, which ends at `until` (seconds since 1970)."""

    seconds: int
    until: int
    cpu_milliseconds: int
    is_whole: bool


def idle_below(tier: Obj | None) -> float | None:
    """Thousandths of a CPU; None: the tier has no idle policy."""
    policy = ((tier or {}).get("spec") or {}).get("idle")
    return float(parse_quantity(policy.get("cpu", _DEFAULT_CPU)) * 1000) if policy else None


def activity_after(noted: Obj | None, measured: Measured, below: float) -> Obj:
    """`status.activity`, from what it was."""
    until = datetime.fromtimestamp(measured.until, UTC)
    rate = measured.cpu_milliseconds / max(measured.seconds, _SHORTEST)
    is_known = noted is not None and until - parse_time(noted["until"]) <= _LONGEST_GAP and measured.is_whole
    last = noted["last"] if noted is not None and is_known and rate < below else rfc3339(until)
    return {"last": last, "until": rfc3339(until)}
