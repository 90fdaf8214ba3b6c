"""Reading the conditions of a CertificateSigningRequest."""

from __future__ import annotations

from skerry.kube.objects import Obj


def condition_of(request: Obj, kind: str) -> Obj | None:
    """The condition of a type that holds, None when there is none."""
    for condition in (request.get("status") or {}).get("conditions") or ():
        if condition.get("type") == kind and condition.get("status") == "True":
            found: Obj = condition
            return found
    return None
