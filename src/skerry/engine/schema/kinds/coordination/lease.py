"""Lease. Source: `ValidateLease`."""

from __future__ import annotations

from skerry.engine.schema.causes import invalid
from skerry.engine.schema.contract import Strategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


class LeaseStrategy(Strategy):
    """Times that make sense."""

    def validate(self, obj: Obj) -> list[Cause]:
        """Duration and transitions."""
        spec = obj.get("spec") or {}
        causes = []
        if (spec.get("leaseDurationSeconds") or 1) <= 0 or spec.get("leaseDurationSeconds") == 0:
            causes.append(invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0"))
        if (spec.get("leaseTransitions") or 0) < 0:
            why = "must be greater than or equal to 0"
            causes.append(invalid("spec.leaseTransitions", spec["leaseTransitions"], why))
        if spec.get("holderIdentity") == "":
            causes.append(invalid("spec.holderIdentity", "", "must not be empty"))
        return causes
