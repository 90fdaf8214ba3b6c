"""Node. Source: `pkg/registry/core/node/strategy.go`, `ValidateNode`, `ValidateNodeUpdate`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, not_supported, required
from skerry.engine.schema.pods.scheduling import EFFECTS
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_SET_ONCE = ("podCIDR", "podCIDRs", "providerID")


class NodeStrategy(UncountedStrategy):
    """A node registers itself with a status, so creation keeps it."""

    def prepare_create(self, obj: Obj) -> None:
        """Kubelets create nodes complete with status."""
        obj.setdefault("spec", {})

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """A status writer may also set labels and annotations, as kubelets do."""
        labels = new["metadata"].get("labels")
        super().prepare_status(new, old)
        if labels:
            new["metadata"]["labels"] = labels

    def default(self, obj: Obj) -> None:
        """Allocatable is the capacity unless said otherwise."""
        status = obj.get("status")
        if status and status.get("capacity"):
            set_default(status, "allocatable", dict(status["capacity"]))

    def validate(self, obj: Obj) -> list[Cause]:
        """Taints."""
        return list(_check_taints((obj.get("spec") or {}).get("taints") or []))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Addresses and provider, once set, stay."""
        after, before = new.get("spec") or {}, old.get("spec") or {}
        return [
            forbidden(f"spec.{part}", f'node updates may not change {part} except from "" to valid')
            for part in _SET_ONCE
            if before.get(part) and after.get(part) != before[part]
        ]


def _check_taints(taints: list[Obj]) -> Iterator[Cause]:
    seen = set()
    for index, taint in enumerate(taints):
        field = f"spec.taints[{index}]"
        key, effect = taint.get("key") or "", taint.get("effect")
        if complaint := names.qualified_name(key):
            yield invalid(f"{field}.key", key, complaint)
        if complaint := names.label_value(taint.get("value") or ""):
            yield invalid(f"{field}.value", taint["value"], complaint)
        if not effect:
            yield required(f"{field}.effect")
        elif effect not in EFFECTS:
            yield not_supported(f"{field}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            yield duplicate(field, taint)
        seen.add((key, effect))
