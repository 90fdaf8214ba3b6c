"""Ownership marks: a TXT record beside each set of records says whose it is. Pure.

Names and text are exactly those of external-dns (its TXT registry since 0.12), so that it can take the records over on
a real cluster, started with `--txt-owner-id` of the same value, and tools that spare its records spare ours:

    a-web.example.org  TXT  "heritage=external-dns,external-dns/owner=me,external-dns/resource=ingress/default/web"

At the top of a zone, where `a-example.org` would be outside of it, the label `a-` stands alone (external-dns with
`--txt-prefix=%{record_type}-.`).
"""

from __future__ import annotations

from skerry.engine.controllers.dynamic_dns.failures import DnsError

TYPES = ("A", "AAAA", "CNAME")
"""Types of records that are made for hosts."""
_HERITAGE = "heritage=external-dns"
_OWNER = "external-dns/owner="
_RESOURCE = "external-dns/resource="
_LONGEST_LABEL, _LONGEST_NAME = 63, 253


def mark_name(host: str, type_: str, zone: str) -> str:
    """Where the mark of a host's records of a type is. Raises DnsError "NameTooLong"."""
    prefix = f"{type_.lower()}-"
    name = f"{prefix}.{host}" if host == zone else f"{prefix}{host}"
    if len(name.split(".")[0]) > _LONGEST_LABEL or len(name) > _LONGEST_NAME:
        raise DnsError("NameTooLong", f"{host}: its ownership mark {name} would be longer than DNS names may be")
    return name


def mark_text(owner: str, resource: str) -> str:
    """What the mark says."""
    return f"{_HERITAGE},{_OWNER}{owner},{_RESOURCE}{resource}"


def owner_in(text: str) -> str:
    """Whose mark it is, "" when it is none."""
    fields = text.strip('"').split(",")
    if _HERITAGE not in fields:
        return ""
    return next((field.removeprefix(_OWNER) for field in fields if field.startswith(_OWNER)), "")
