"""From when to when a pod or claim counts, and how much. Pure.

A pod counts from the time its node took it up until its last container ended: what it requests is taken from others
for so long, whether it uses it or not. A claim counts from its creation, once it has a volume. Times are whole seconds
since 1970, as the API has them.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj, annotations_of, namespace_of
from skerry.kube.quantities import bytes_of
from skerry.kube.quota.amounts import ZERO
from skerry.kube.quota.pod_resources import pod_total
from skerry.kube.quota.usage import is_gpu
from skerry.kube.records import record
from skerry.platform.usage.amounts import Amounts, Who
from skerry.platform.usage.types import USER_ANNOTATION

_MEBIBYTE = 1024**2


@record
class Span:
    """One holder of something. `end` None: it still holds it."""

    who: Who
    rate: Amounts
    begin: int
    end: int | None = None


def used_between(span: Span, after: int, until: int) -> Amounts:
    """What a span comes to in a part of the time."""
    begin = max(span.begin, after)
    end = until if span.end is None else min(span.end, until)
    return span.rate.during(max(0, end - begin))


def pod_span(pod: Obj) -> Span | None:
    """None while no node has taken the pod up."""
    status = pod.get("status") or {}
    started = status.get("startTime")
    if not started:
        return None
    begin = _seconds(started)
    end = max(begin, _ended_at(status)) if status.get("phase") in ("Succeeded", "Failed") else None
    return Span(_who(pod), _pod_rate(pod), begin, end)


def claim_span(claim: Obj) -> Span | None:
    """None while the claim has no volume."""
    status = claim.get("status") or {}
    if status.get("phase") != "Bound":
        return None
    size = (status.get("capacity") or {}).get("storage", "0")
    rate = Amounts(storage=_mebibytes(bytes_of(size)))
    return Span(_who(claim), rate, _seconds(claim["metadata"]["creationTimestamp"]))


def _who(obj: Obj) -> Who:
    return (namespace_of(obj), annotations_of(obj).get(USER_ANNOTATION, ""))


def _pod_rate(pod: Obj) -> Amounts:
    asked = pod_total(pod["spec"], "requests")
    return Amounts(
        cpu=asked.get("cpu", ZERO).milli,
        memory=_mebibytes(asked.get("memory", ZERO).units),
        gpu=sum(amount.units for name, amount in asked.items() if is_gpu(name)),
    )


def _mebibytes(number: int) -> int:
    return -(-number // _MEBIBYTE)


def _ended_at(status: Obj) -> int:
    """When the last container ended; of a pod whose containers never ran, when its conditions last changed."""
    ends = list(_ends(status)) or [
        _seconds(one["lastTransitionTime"]) for one in status.get("conditions") or () if one.get("lastTransitionTime")
    ]
    return max(ends, default=0)


def _ends(status: Obj) -> Iterator[int]:
    for kind in ("containerStatuses", "initContainerStatuses"):
        for container in status.get(kind) or ():
            finished = ((container.get("state") or {}).get("terminated") or {}).get("finishedAt")
            if finished:
                yield _seconds(finished)


def _seconds(text: str) -> int:
    return int(parse_time(text).timestamp())
