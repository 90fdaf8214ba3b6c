"""Why a certificate must be issued, again or for the first time. Pure: from what was read to a reason and a message.

Source: cert-manager's `internal/controller/certificates/policies`, in its order and with its words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.certificates.schedule import renewal_time
from skerry.engine.controllers.certmanager.certificates.wanted import Wanted
from skerry.engine.controllers.certmanager.room import issuer_group, issuer_kind
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj, annotations_of


class Reason(NamedTuple):
    """As it stands in conditions and events."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Held:
    """What the Secret of a Certificate holds. `facts`: as the helper's `read_pair` says; `broken`: why it cannot."""

    secret: Obj
    facts: Mapping[str, Any]
    broken: str
    begins: datetime
    ends: datetime


def why_issue(name: str, wanted: Wanted, held: Held | None, request: Obj | None, now: datetime) -> Reason | None:
    """`name` of the Certificate, `request`: the CertificateRequest of its current revision, if it is still there. None:
    the certificate is as it should be, and is not to be renewed yet."""
    return _unusable(held) or _differs(name, wanted, held, request) or _nears_its_end(wanted, held, now)


def why_not_ready(name: str, wanted: Wanted, held: Held | None, request: Obj | None, now: datetime) -> Reason | None:
    """Why what the Secret holds cannot be relied on; one that is to be renewed still can."""
    reason = _unusable(held) or _differs(name, wanted, held, request)
    if reason is None and held is not None and held.ends <= now:
        return Reason("Expired", f"Certificate expired on {rfc3339(held.ends)}")
    return reason


def _unusable(held: Held | None) -> Reason | None:
    if held is None:
        return Reason("DoesNotExist", "Issuing certificate as Secret does not exist")
    data = held.secret.get("data") or {}
    if not data:
        return Reason("MissingData", "Issuing certificate as Secret does not contain any data")
    for key, what in (("tls.key", "a private key"), ("tls.crt", "a certificate")):
        if not data.get(key):
            return Reason("MissingData", f"Issuing certificate as Secret does not contain {what}")
    if held.broken:
        return Reason("InvalidKeyPair", f"Issuing certificate as Secret contains an invalid key-pair: {held.broken}")
    return None


def _differs(name: str, wanted: Wanted, held: Held | None, request: Obj | None) -> Reason | None:
    assert held is not None
    if fields := _key_differences(wanted, held.facts):
        return Reason("SecretMismatch", f"Existing private key is not up to date for spec: [{fields}]")
    noted = annotations_of(held.secret)
    before = (
        f"{noted.get(names.ISSUER_KIND, '')}.{noted.get(names.ISSUER_GROUP, '')}/{noted.get(names.ISSUER_NAME, '')}"
    )
    if before != issuer_text(wanted.issuer):
        return Reason("IncorrectIssuer", f'Issuing certificate as Secret was previously issued by "{before}"')
    if (owner := noted.get(names.CERTIFICATE_NAME, name)) != name:
        return Reason("IncorrectCertificate", f'Secret was issued for "{owner}"')
    fields = " ".join([*_name_differences(wanted, held.facts), *_request_differences(wanted, request)])
    if fields:
        return Reason("RequestChanged", f"Fields on existing CertificateRequest resource not up to date: [{fields}]")
    return None


def issuer_text(reference: Mapping[str, Any]) -> str:
    """`ClusterIssuer.cert-manager.io/name`."""
    return f"{issuer_kind(reference)}.{issuer_group(reference)}/{reference.get('name', '')}"


def fits(wanted: Wanted, request: Obj) -> bool:
    """Whether a CertificateRequest was made for what is wanted now."""
    return annotations_of(request).get(names.ASKS_FOR) == digest(wanted)


def digest(wanted: Wanted) -> str:
    """Of everything that a new request would be made for."""
    about = [dict(wanted.names), duration_text(wanted), wanted.usages, wanted.is_ca, issuer_text(wanted.issuer)]
    key = [wanted.key.algorithm, wanted.key.size, wanted.key.encoding]
    return hashlib.sha256(orjson.dumps([*about, key], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _key_differences(wanted: Wanted, facts: Mapping[str, Any]) -> str:
    if facts["algorithm"] != wanted.key.algorithm:
        return "spec.privateKey.algorithm"
    return "spec.privateKey.size" if wanted.key.size and facts["size"] != wanted.key.size else ""


def _name_differences(wanted: Wanted, facts: Mapping[str, Any]) -> list[str]:
    """An ACME server may have moved the common name among the alternative ones, and takes no other subject."""
    common, dns = wanted.names["commonName"], _lower(wanted.names["dnsNames"])
    found = _lower(facts["dnsNames"])
    fields = []
    if common and common != facts["commonName"] and common.lower() not in found:
        fields.append("spec.commonName")
    if not dns <= found <= dns | {common.lower()}:
        fields.append("spec.dnsNames")
    others = ("ipAddresses", "uris", "emailAddresses")
    return fields + [f"spec.{field}" for field in others if set(wanted.names[field]) != set(facts[field])]


def _lower(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}


def _request_differences(wanted: Wanted, request: Obj | None) -> list[str]:
    if request is None:
        return []
    spec = request["spec"]
    found = {
        "spec.duration": spec.get("duration") != duration_text(wanted),
        "spec.isCA": bool(spec.get("isCA")) != wanted.is_ca,
        "spec.usages": set(spec.get("usages") or ()) != set(wanted.usages),
    }
    return [field for field, differs in found.items() if differs]


def duration_text(wanted: Wanted) -> str:
    """As a request has it: "2160h0m0s"."""
    minutes, seconds = divmod(int(wanted.duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}s"


def _nears_its_end(wanted: Wanted, held: Held | None, now: datetime) -> Reason | None:
    assert held is not None
    renewal = renewal_time(held.begins, held.ends, wanted)
    if now >= renewal:
        return Reason("Renewing", f"Renewing certificate as renewal was scheduled at {rfc3339(renewal)}")
    return None
