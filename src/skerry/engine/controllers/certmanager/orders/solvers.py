"""Which solver of an issuer proves that a name is ours, and the Challenge for it. Pure.

Source: cert-manager's documentation of `spec.acme.solvers[].selector` and `pkg/controller/acmeorders/selectors`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.engine.definitions.acme import ORDERS
from skerry.kube.objects import Obj, name_of, namespace_of, owner_reference

FINALIZER = "acme.cert-manager.io/finalizer"
_KINDS = {"http01": "http-01", "dns01": "dns-01"}


def solver_for(solvers: Sequence[Obj], labels: Mapping[str, str], name: str, offered: Sequence[str]) -> Obj | None:
    """The best solver for a name ("*.example.org" for a wildcard): names before zones, longer zones before shorter
    ones, more labels before fewer; the first of equals. `offered`: what the server would take ("http-01")."""
    found = [(rank, solver) for solver in solvers if (rank := _rank(solver, labels, name, offered)) is not None]
    return max(found, key=lambda one: one[0])[1] if found else None


def kind_of(solver: Obj) -> str:
    """ "http-01" or "dns-01"."""
    return next(kind for field, kind in _KINDS.items() if field in solver)


def _rank(solver: Obj, labels: Mapping[str, str], name: str, offered: Sequence[str]) -> tuple[int, int, int] | None:
    if kind_of(solver) not in offered or (name.startswith("*.") and "http01" in solver):
        return None
    selector = solver.get("selector") or {}
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return None
    names, zones = selector.get("dnsNames") or (), selector.get("dnsZones") or ()
    if name in names:
        return 2, 0, len(wanted)
    bare = name.removeprefix("*.")
    zone = max((len(zone) for zone in zones if bare == zone or bare.endswith(f".{zone}")), default=0)
    if zone:
        return 1, zone, len(wanted)
    return None if names or zones else (0, 0, len(wanted))


def challenge_name(order: Obj, authorization_url: str) -> str:
    """One for each authorization."""
    return f"{name_of(order)[:240]}-{hashlib.sha256(authorization_url.encode()).hexdigest()[:10]}"


def challenge_for(order: Obj, authorization: Mapping[str, Any], solver: Obj) -> Obj:
    """The Challenge. `authorization`: as the helper gives it, with the answers."""
    kind = kind_of(solver)
    offered = next(one for one in authorization["challenges"] if one["type"] == kind)
    is_dns = kind == "dns-01"
    metadata = {
        "name": challenge_name(order, authorization["url"]),
        "namespace": namespace_of(order),
        "ownerReferences": [owner_reference(order, ORDERS)],
        **({"finalizers": [FINALIZER]} if is_dns else {}),
    }
    spec = {
        "url": offered["url"],
        "authorizationURL": authorization["url"],
        "dnsName": authorization["identifier"],
        "wildcard": authorization["wildcard"],
        "type": kind.upper(),
        "token": offered["token"],
        "key": offered["record"] if is_dns else offered["key"],
        "solver": solver,
        "issuerRef": order["spec"]["issuerRef"],
    }
    return {"metadata": metadata, "spec": spec}


def name_in(authorization: Mapping[str, Any]) -> str:
    """What selectors are compared with."""
    identifier = str(authorization["identifier"])
    return f"*.{identifier}" if authorization.get("wildcard") else identifier
