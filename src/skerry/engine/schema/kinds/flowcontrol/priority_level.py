"""PriorityLevelConfiguration. Source: its `SetDefaults_*` functions and `ValidatePriorityLevelConfiguration`."""

from __future__ import annotations

from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_TYPES = ("Exempt", "Limited")
_RESPONSES = ("Queue", "Reject")
_QUEUING = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}


class PriorityLevelStrategy(SpecStrategy):
    """What share of the server a kind of request has."""

    def default(self, obj: Obj) -> None:
        """Thirty shares of the server, nothing borrowed; queues as Kubernetes has them."""
        spec = obj.setdefault("spec", {})
        if spec.get("type") == "Exempt":
            exempt = spec.setdefault("exempt", {})
            set_default(exempt, "nominalConcurrencyShares", 0)
            set_default(exempt, "lendablePercent", 0)
        limited = spec.get("limited")
        if limited is None:
            return
        set_default(limited, "nominalConcurrencyShares", 30)
        set_default(limited, "lendablePercent", 0)
        queuing = (limited.get("limitResponse") or {}).get("queuing")
        if queuing is not None:
            for part, value in _QUEUING.items():
                set_default(queuing, part, value)

    def validate(self, obj: Obj) -> list[Cause]:
        """The part that belongs to the type, and no other."""
        spec = obj.get("spec") or {}
        asked = spec.get("type", "")
        if asked not in _TYPES:
            return [not_supported("spec.type", asked, _TYPES)]
        if asked == "Exempt":
            return [] if spec.get("limited") is None else [_alien("limited", "Limited")]
        if spec.get("exempt") is not None:
            return [_alien("exempt", "Exempt")]
        if spec.get("limited") is None:
            return [required("spec.limited", "must not be empty when type is Limited")]
        return _limited(spec["limited"])


def _alien(part: str, belongs: str) -> Cause:
    return forbidden(f"spec.{part}", f"must be nil if the type is not {belongs}")


def _limited(limited: Obj) -> list[Cause]:
    path = "spec.limited"
    causes: list[Cause] = []
    if limited["nominalConcurrencyShares"] < 0:
        shares = limited["nominalConcurrencyShares"]
        causes.append(invalid(f"{path}.nominalConcurrencyShares", shares, "must be a non-negative integer"))
    if not 0 <= limited["lendablePercent"] <= 100:
        why = "must be between 0 and 100, inclusive"
        causes.append(invalid(f"{path}.lendablePercent", limited["lendablePercent"], why))
    response = limited.get("limitResponse") or {}
    asked = response.get("type", "")
    if asked not in _RESPONSES:
        return [*causes, not_supported(f"{path}.limitResponse.type", asked, _RESPONSES)]
    queuing = response.get("queuing")
    if asked == "Reject" and queuing is not None:
        causes.append(forbidden(f"{path}.limitResponse.queuing", "must be nil if limited.limitResponse.type is Reject"))
    if asked == "Queue":
        causes += _queuing(queuing, f"{path}.limitResponse.queuing")
    return causes


def _queuing(queuing: Obj | None, path: str) -> list[Cause]:
    if queuing is None:
        return [required(path, "must not be empty if limited.limitResponse.type is Queue")]
    causes = [
        invalid(f"{path}.{part}", queuing[part], "must be positive") for part in _QUEUING if queuing.get(part, 1) <= 0
    ]
    if not causes and queuing["handSize"] > queuing["queues"]:
        why = f"should not be greater than queues ({queuing['queues']})"
        causes.append(invalid(f"{path}.handSize", queuing["handSize"], why))
    return causes
