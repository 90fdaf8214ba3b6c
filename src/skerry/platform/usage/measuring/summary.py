"""A node's `/stats/summary`, as far as it counts here. Pure. Source: `k8s.io/kubelet/pkg/apis/stats/v1alpha1`."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.usage.amounts import NOTHING, Amounts, Tally, Who
from skerry.platform.usage.types import Counters

_NANOSECONDS_OF_A_MILLISECOND = 1_000_000


@record
class Seen:
    """What is to be added, and what it was worked out from: both are written in one update."""

    more: Tally
    counters: Mapping[str, Counters]
    runs: bool = False
    """Whether any pod does."""
    is_whole: bool = True
    """Whether nodes told of every pod that runs."""


def counters_of(summary: Obj) -> dict[str, Counters]:
    """By pod uid."""
    return {pod["podRef"]["uid"]: _counters(pod) for pod in summary.get("pods") or () if "podRef" in pod}


def _counters(pod: Obj) -> Counters:
    nanoseconds = (pod.get("cpu") or {}).get("usageCoreNanoSeconds") or 0
    sent = (pod.get("network") or {}).get("txBytes") or 0
    return Counters(cpu_milliseconds=nanoseconds // _NANOSECONDS_OF_A_MILLISECOND, egress_bytes=sent)


def seen_since(before: Mapping[str, Counters], now: Mapping[str, Counters], owners: Mapping[str, Who]) -> Seen:
    """What pods used since they were counted last. `owners`: those there are; one that no node tells of keeps what was
    written of it. A counter that fell (its container began anew) counts from where it is now."""
    more: dict[Who, Amounts] = {}
    kept: dict[str, Counters] = {}
    for uid, who in owners.items():
        known, latest = before.get(uid, _NONE), now.get(uid, before.get(uid))
        if latest is None:
            continue
        kept[uid] = latest
        grown = Amounts(
            used_cpu=max(0, latest.cpu_milliseconds - known.cpu_milliseconds),
            egress=max(0, latest.egress_bytes - known.egress_bytes),
        )
        if grown != NOTHING:
            more[who] = more.get(who, NOTHING).plus(grown)
    return Seen(more, kept)


_NONE = Counters(cpu_milliseconds=0, egress_bytes=0)
