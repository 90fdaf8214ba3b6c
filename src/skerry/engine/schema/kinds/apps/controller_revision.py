"""ControllerRevision. Source: `ValidateControllerRevision`, `ValidateControllerRevisionUpdate`."""

from __future__ import annotations

from skerry.engine.schema.causes import immutable, invalid, required
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


class ControllerRevisionStrategy(Strategy):
    """What a set looked like: written once, numbered anew when it comes back."""

    def validate(self, obj: Obj) -> list[Cause]:
        """Some data, a number that is not negative."""
        causes = [] if obj.get("data") is not None else [required("data", "data is mandatory")]
        if (obj.get("revision") or 0) < 0:
            causes.append(invalid("revision", obj["revision"], NOT_NEGATIVE))
        return causes

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """The data stays."""
        return [] if new.get("data") == old.get("data") else [immutable("data", new.get("data"))]
