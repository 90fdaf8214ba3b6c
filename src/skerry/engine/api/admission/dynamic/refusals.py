"""Refusals in somebody else's words: the code and the reason are what a webhook or a policy says."""

from __future__ import annotations

from typing import Any

from skerry.kube.errors import InternalError, StatusError, from_status
from skerry.kube.objects import Obj


class _Refusal(StatusError):
    """A Status whose reason may be left out."""

    def to_json(self) -> Obj:
        """As `StatusError`, without an empty reason."""
        return {key: value for key, value in super().to_json().items() if value != ""}


def refusal(message: str, code: int, reason: str, details: dict[str, Any]) -> StatusError:
    """The error with this code (an HTTP status) and reason; of the class that clients get for them."""
    usual = type(from_status({"code": code, "reason": reason}))
    kind: type[_Refusal] = type("Refusal", (_Refusal, usual), {"code": code, "reason": reason})
    return kind(message, details)


def internal(message: str) -> InternalError:
    """500 `Internal error occurred: ...`, as `errors.NewInternalError`: how Kubernetes says that a webhook failed."""
    return InternalError(f"Internal error occurred: {message}", {"causes": [{"message": message}]})
