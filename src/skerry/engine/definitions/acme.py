"""cert-manager's kinds for what happens at an ACME server: an order, and the challenges that must be met for it.

Source: acme.cert-manager.io/v1 as of cert-manager 1.18, and RFC 8555 for the states.
"""

from __future__ import annotations

from skerry.engine.definitions.certmanager import ISSUER_REFERENCE, SOLVER
from skerry.engine.definitions.notation import (
    AGE,
    BOOLEAN,
    STRING,
    TIME,
    Column,
    Definition,
    Schema,
    array,
    obj,
    one_of,
)
from skerry.kube.objects import Resource

_GROUP, _VERSION = "acme.cert-manager.io", "v1"
ORDERS = Resource(_GROUP, _VERSION, "orders", "Order")
CHALLENGES = Resource(_GROUP, _VERSION, "challenges", "Challenge")

_BYTES: Schema = {"type": "string", "format": "byte"}
_STATE = one_of("valid", "ready", "pending", "processing", "invalid", "expired", "errored")
_OFFERED = obj({"url": STRING, "token": STRING, "type": STRING}, "url", "token", "type")
_AUTHORIZATION = obj(
    {
        "url": STRING,
        "identifier": STRING,
        "wildcard": BOOLEAN,
        "initialState": _STATE,
        "challenges": array(_OFFERED),
    },
    "url",
)
_ORDER = obj(
    {
        "request": _BYTES,
        "issuerRef": ISSUER_REFERENCE,
        "commonName": STRING,
        "dnsNames": array(STRING),
        "ipAddresses": array(STRING),
        "duration": STRING,
    },
    "request",
    "issuerRef",
)
_ORDER_STATUS = obj(
    {
        "url": STRING,
        "finalizeURL": STRING,
        "authorizations": array(_AUTHORIZATION),
        "certificate": _BYTES,
        "state": _STATE,
        "reason": STRING,
        "failureTime": TIME,
        "retryAfter": TIME,
    }
)
_CHALLENGE = obj(
    {
        **dict.fromkeys(("url", "authorizationURL", "dnsName", "token", "key"), STRING),
        "type": one_of("HTTP-01", "DNS-01"),
        "wildcard": BOOLEAN,
        "solver": SOLVER,
        "issuerRef": ISSUER_REFERENCE,
    },
    "url",
    "authorizationURL",
    "dnsName",
    "type",
    "token",
    "key",
    "solver",
    "issuerRef",
)
_CHALLENGE_STATUS = obj(
    {"processing": BOOLEAN, "presented": BOOLEAN, "reason": STRING, "state": _STATE, "waitingSince": TIME}
)
_CATEGORIES = ("cert-manager", "cert-manager-acme")
_STATE_COLUMN = Column("State", ".status.state")
_REASON = Column("Reason", ".status.reason", priority=1)

DEFINITIONS = (
    Definition(
        ORDERS,
        spec=_ORDER,
        status=_ORDER_STATUS,
        columns=(_STATE_COLUMN, Column("Issuer", ".spec.issuerRef.name", priority=1), _REASON, AGE),
        categories=_CATEGORIES,
    ),
    Definition(
        CHALLENGES,
        spec=_CHALLENGE,
        status=_CHALLENGE_STATUS,
        columns=(_STATE_COLUMN, Column("Domain", ".spec.dnsName"), _REASON, AGE),
        categories=_CATEGORIES,
    ),
)
