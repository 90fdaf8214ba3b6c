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
_TSIG = obj(
    {
        "keyName": {"type": "string", "minLength": 1, "maxLength": 253},
        "algorithm": {"type": "string", "default": "hmac-sha256"},
        "secretRef": obj({"namespace": STRING, "name": STRING, "key": STRING}, "namespace", "name"),
    },
    "keyName",
    "secretRef",
)
_RECORD = obj(
    {
        "host": STRING,
        "resource": STRING,
        "records": mapping(array(STRING)),
        "ttl": INTEGER,
        "state": one_of("Pending", "Published", "Refused", "Failed"),
        "message": STRING,
    },
    "host",
)
_FIXED = ("domain", "zone", "owner")

DEFINITIONS = (
    Definition(
        DOMAINS,
        spec=obj(
            {
                "domain": _DNS_NAME,
                "zone": _DNS_NAME,
                "server": {"type": "string", "minLength": 1, "maxLength": 300},
                "tsig": _TSIG,
                "ttl": {"type": "integer", "minimum": 1, "maximum": 604800, "default": 300},
                "owner": {"type": "string", "maxLength": 63, "pattern": r"^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"},
                "targets": array(STRING, maxItems=16),
                "namespaces": array(STRING, maxItems=1000),
                "namespaceSelector": LABEL_SELECTOR,
            },
            "domain",
            "server",
            "tsig",
        ),
        status=obj(
            {
                "conditions": CONDITIONS,
                "observedGeneration": {"type": "integer", "format": "int64"},
                "owner": STRING,
                "hosts": INTEGER,
                "published": INTEGER,
                "records": array(
                    _RECORD,
                    maxItems=MOST_HOSTS * 2,
                    **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host"]},
                ),
            }
        ),
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
