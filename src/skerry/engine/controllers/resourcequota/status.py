"""What a quota's status should say, given what the objects of its namespace come to. Pure.

Source: Kubernetes' `pkg/controller/resourcequota` and `apiserver/pkg/quota/v1/resources.go` (CalculateUsage).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import ZERO, Amount
from skerry.kube.quota.scopes import scopes_of
from skerry.kube.quota.sums import Sums
from skerry.kube.quota.usage import counted_names


def quota_status(quota: Obj, sums: Mapping[str, Sums], now: datetime) -> Obj:
    """`hard` as wished for, `used` for what of it is counted. `sums`: those of the namespace, by resource."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    scopes = scopes_of(quota)
    used: dict[str, Amount] = {}
    for resource, kept in sums.items():
        total = kept.total(scopes, now)
        for name in counted_names(resource, hard):
            used[name] = used.get(name, ZERO).plus(total.get(name, ZERO))
    return {"hard": dict(hard), "used": {name: str(value) for name, value in sorted(used.items())}}


def next_look(sums: Mapping[str, Sums], now: datetime) -> float | None:
    """Seconds until a pod that is going away stops counting, None when none is."""
    end = sums["pods"].next_end(now) if "pods" in sums else None
    return max((end - now).total_seconds(), 0.0) + 1.0 if end is not None else None


def matters(old: Obj, new: Obj) -> bool:
    """Whether a change of a measured object may change what it uses."""
    return (
        old.get("spec") != new.get("spec")
        or any(_of_status(old, part) != _of_status(new, part) for part in ("phase", "allocatedResources"))
        or old["metadata"].get("deletionTimestamp") != new["metadata"].get("deletionTimestamp")
    )


def _of_status(obj: Obj, part: str) -> object:
    return (obj.get("status") or {}).get(part)
