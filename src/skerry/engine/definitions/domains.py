"""Domains: the DNS names this cluster may hand out, and the server that keeps their records.

A kind of Skerry's own (group skerry.dev): external-dns, which does the same elsewhere, is configured by flags.
`engine/controllers/dynamic_dns` acts on it; docs/resources/domain.md explains the fields.
"""

from __future__ import annotations

from skerry.engine.definitions.notation import (
    AGE,
    CONDITIONS,
    INTEGER,
    LABEL_SELECTOR,
    STRING,
    Column,
    Definition,
    Schema,
    array,
    mapping,
    obj,
    one_of,
)
from skerry.kube.objects import Resource

DOMAINS = Resource("skerry.dev", "v1alpha1", "domains", "Domain", namespaced=False)
MOST_HOSTS = 2000
"""Hosts of one Domain: its status lists them all, and an object has a largest size."""

_LABEL = r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?"
_DNS_NAME = {"type": "string", "maxLength": 253, "pattern": rf"^({_LABEL}\.)*{_LABEL}\.?$"}


def _said(schema: Schema, text: str) -> Schema:
    """With what `kubectl explain` says of it."""
    return {**schema, "description": text}


_TSIG = obj(
    {
        "keyName": _said(
            {"type": "string", "minLength": 1, "maxLength": 253}, "Name of the key, as the server has it."
        ),
        "algorithm": _said({**STRING, "default": "hmac-sha256"}, "hmac-sha256, hmac-sha512 and so on."),
        "secretRef": obj(
            {
                "namespace": _said(STRING, "Where the Secret is."),
                "name": _said(STRING, "The Secret."),
                "key": _said(STRING, 'Which of its keys has the secret, in base64 as tsig-keygen prints it; "secret".'),
            },
            "namespace",
            "name",
            description="The Secret that has the key's secret.",
        ),
    },
    "keyName",
    "secretRef",
    description="The key that signs updates (RFC 8945).",
)
_RECORD = obj(
    {
        "host": _said(STRING, "The name."),
        "resource": _said(STRING, "Who asked for it, as kind/namespace/name."),
        "records": _said(mapping(array(STRING)), "Values by record type."),
        "ttl": _said(INTEGER, "Seconds."),
        "state": _said(one_of("Pending", "Published", "Refused", "Failed"), "How it went."),
        "message": _said(STRING, "Why not."),
    },
    "host",
)
_SPEC = obj(
    {
        "domain": _said(_DNS_NAME, "Names that are, or end with, this one get records. Cannot change."),
        "zone": _said(_DNS_NAME, "The zone on the server, when the domain is only a part of it. Cannot change."),
        "server": _said(
            {"type": "string", "minLength": 1, "maxLength": 300},
            "The zone's primary server: host, host:port or [address]:port.",
        ),
        "tsig": _TSIG,
        "ttl": _said(
            {"type": "integer", "minimum": 1, "maximum": 604800, "default": 300}, "Seconds others may keep a record."
        ),
        "owner": _said(
            {"type": "string", "maxLength": 63, "pattern": r"^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"},
            "Who we are in ownership marks; an id of this cluster unless given. Cannot change.",
        ),
        "targets": _said(
            array(STRING, maxItems=16), "Addresses, or a name, that stand for those of Ingresses: of a router in front."
        ),
        "namespaces": _said(array(STRING, maxItems=1000), "Who may have hosts here; everybody unless given."),
        "namespaceSelector": _said(LABEL_SELECTOR, "Who else may, by labels of the namespace."),
    },
    "domain",
    "server",
    "tsig",
)
_STATUS = obj(
    {
        "conditions": _said(CONDITIONS, "Ready, with the reason."),
        "observedGeneration": _said({"type": "integer", "format": "int64"}, "Which spec this is about."),
        "owner": _said(STRING, "Who we are in ownership marks."),
        "hosts": _said(INTEGER, "How many hosts are listed."),
        "published": _said(INTEGER, "How many of them have their records."),
        "records": _said(
            array(
                _RECORD,
                maxItems=MOST_HOSTS * 2,
                **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host"]},
            ),
            "Every host that is, or may be, published.",
        ),
    }
)
_FIXED = ("domain", "zone", "owner")

DEFINITIONS = (
    Definition(
        DOMAINS,
        spec=_SPEC,
        status=_STATUS,
        columns=(
            Column("Domain", ".spec.domain"),
            Column("Server", ".spec.server", priority=1),
            Column("Hosts", ".status.hosts", "integer"),
            Column("Published", ".status.published", "integer"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            AGE,
        ),
        rules=tuple(
            {
                "rule": f"has(self.spec.{name}) == has(oldSelf.spec.{name}) && "
                f"(!has(self.spec.{name}) || self.spec.{name} == oldSelf.spec.{name})",
                "message": f"spec.{name} cannot change: what was published would be lost; make another Domain",
            }
            for name in _FIXED
        ),
    ),
)
