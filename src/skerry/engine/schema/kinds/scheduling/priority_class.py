"""PriorityClass. Source: `SetDefaults_PriorityClass`, `ValidatePriorityClass(Update)`."""

from __future__ import annotations

from skerry.engine.schema.causes import forbidden, immutable
from skerry.engine.schema.strategies import CountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

HIGHEST = 1_000_000_000
SYSTEM = {"system-cluster-critical": 2 * HIGHEST, "system-node-critical": 2 * HIGHEST + 1000}


class PriorityClassStrategy(CountedStrategy):
    """A number that pods refer to by name; changing it would change pods that exist."""

    counted = ("value", "globalDefault")

    def default(self, obj: Obj) -> None:
        """May push others out."""
        set_default(obj, "value", 0)
        set_default(obj, "preemptionPolicy", "PreemptLowerPriority")

    def validate(self, obj: Obj) -> list[Cause]:
        """Within what users may ask for; names that begin with "system-" are taken."""
        name, value = str(obj["metadata"].get("name", "")), obj.get("value", 0)
        if name.startswith("system-"):
            if SYSTEM.get(name) == value and not obj.get("globalDefault"):
                return []
            why = "priority class names with 'system-' prefix are reserved for system use only. error: "
            return [forbidden("metadata.name", why + f"{name} is not a known system priority class")]
        if value > HIGHEST:
            return [forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST}")]
        return []

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Value and preemption stay."""
        parts = ("value", "preemptionPolicy")
        return [immutable(part, new.get(part)) for part in parts if new.get(part) != old.get(part)]
