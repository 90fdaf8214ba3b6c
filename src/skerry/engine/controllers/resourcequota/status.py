"""What a quota's status should say, given the objects of its namespace. Pure.

Source: Kubernetes' `pkg/controller/resourcequota` and `apiserver/pkg/quota/v1/resources.go` (CalculateUsage).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import ZERO, Amount, Amounts
from skerry.kube.quota.scopes import scopes_of, within
from skerry.kube.quota.usage import counted_names, given_up_at, is_charged, usage

Using = Callable[[str, Obj, datetime], Amounts]
"""`usage`, or one that remembers."""


def quota_status(quota: Obj, objects: Mapping[str, Sequence[Obj]], now: datetime, using: Using = usage) -> Obj:
    """`hard` as wished for, `used` for what of it is counted. `objects`: those of the namespace, by resource."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    scopes = scopes_of(quota)
    used: dict[str, Amount] = {}
    for resource, present in objects.items():
        names = counted_names(resource, hard)
        used |= {name: ZERO for name in names if name not in used}
        for obj in present:
            if within(scopes, resource, obj):
                uses = using(resource, obj, now)
                for name in names:
                    if name in uses:
                        used[name] = used[name].plus(uses[name])
    return {"hard": dict(hard), "used": {name: str(value) for name, value in sorted(used.items())}}


def next_look(pods: Iterable[Obj], now: datetime) -> float | None:
    """Seconds until a pod that is going away stops counting, None when none is."""
    ends = [ends for pod in pods if (ends := given_up_at(pod)) is not None and is_charged(pod, now)]
    return max((min(ends) - now).total_seconds(), 0.0) + 1.0 if ends else None


def matters(old: Obj, new: Obj) -> bool:
    """Whether a change of a measured object may change what it uses."""
    return (
        old.get("spec") != new.get("spec")
        or any(_of_status(old, part) != _of_status(new, part) for part in ("phase", "allocatedResources"))
        or old["metadata"].get("deletionTimestamp") != new["metadata"].get("deletionTimestamp")
    )


def _of_status(obj: Obj, part: str) -> object:
    return (obj.get("status") or {}).get(part)
