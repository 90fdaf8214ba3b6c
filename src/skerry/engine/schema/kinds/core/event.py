"""Event. Source: `pkg/registry/core/event/strategy.go`, `ValidateEvent` (its legacy rules)."""

from __future__ import annotations

from skerry.engine.schema.causes import invalid
from skerry.engine.schema.contract import Strategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


class EventStrategy(Strategy):
    """An event lives in the namespace of what it is about, or in "default" for cluster-scoped things."""

    def validate(self, obj: Obj) -> list[Cause]:
        """Where it is stored against what it is about."""
        about = (obj.get("involvedObject") or {}).get("namespace") or ""
        namespace = obj["metadata"].get("namespace") or ""
        if about and about != namespace:
            return [invalid("involvedObject.namespace", about, "does not match event.namespace")]
        if not about and namespace not in ("default", "kube-system"):
            return [invalid("involvedObject.namespace", about, "does not match event.namespace")]
        return []
