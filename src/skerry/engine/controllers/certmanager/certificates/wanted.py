"""What a Certificate asks for, with cert-manager's defaults, or what is wrong with it. Pure.

Source: cert-manager's `internal/apis/certmanager/validation/certificate.go` and `pkg/util/pki`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from skerry.kube.durations import parse_duration
from skerry.kube.objects import Obj

DEFAULT_DURATION = timedelta(days=90)
SHORTEST = timedelta(hours=1)
DEFAULT_USAGES = ("digital signature", "key encipherment")
_DEFAULT_SIZES = {"RSA": 2048, "ECDSA": 256, "Ed25519": 0}
_NOT_HERE = ("literalSubject", "keystores", "nameConstraints", "otherNames", "signatureAlgorithm")
_NAMES = ("dnsNames", "ipAddresses", "uris", "emailAddresses")


class Unusable(Exception):
    """What is wrong with a Certificate; `reason` is that of its condition."""

    def __init__(self, message: str, reason: str = "InvalidSpec") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Key:
    """The private key that is wanted. `size`: bits, 0 for Ed25519."""

    algorithm: str
    size: int
    encoding: str
    is_kept: bool
    """At renewal: `rotationPolicy: Never`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One certificate."""

    names: Mapping[str, Any]
    """commonName, dnsNames, ipAddresses, uris, emailAddresses, subject."""
    duration: timedelta
    renew_before: timedelta | None
    renew_before_percentage: int | None
    usages: tuple[str, ...]
    is_ca: bool
    key: Key
    issuer: Mapping[str, Any]


def wanted(certificate: Obj) -> Wanted:
    """Raises Unusable."""
    spec = certificate["spec"]
    for field in _NOT_HERE:
        if spec.get(field):
            raise Unusable(f"spec.{field} is not supported by Skerry", "Unsupported")
    duration = _duration(spec, "duration") or DEFAULT_DURATION
    if duration < SHORTEST:
        raise Unusable("spec.duration: certificate duration must be greater than 1h0m0s")
    before = _duration(spec, "renewBefore")
    if before is not None and not timedelta(minutes=5) <= before < duration:
        raise Unusable("spec.renewBefore: must be at least 5m0s, and less than spec.duration")
    return Wanted(
        names=_names(spec),
        duration=duration,
        renew_before=before,
        renew_before_percentage=spec.get("renewBeforePercentage"),
        usages=tuple(spec.get("usages") or DEFAULT_USAGES),
        is_ca=bool(spec.get("isCA")),
        key=_key(spec.get("privateKey") or {}),
        issuer=spec["issuerRef"],
    )


def _names(spec: Obj) -> dict[str, Any]:
    common = spec.get("commonName") or ""
    found: dict[str, Any] = {"commonName": common, **{field: list(spec.get(field) or ()) for field in _NAMES}}
    if not any(found.values()):
        raise Unusable("spec: at least one of commonName, dnsNames, uris, ipAddresses, or emailAddresses must be set")
    if len(common.encode()) > 64:
        raise Unusable("spec.commonName: Too long: may not be more than 64 bytes")
    try:
        found["ipAddresses"] = [str(ip_address(one)) for one in found["ipAddresses"]]
    except ValueError as error:
        raise Unusable(f"spec.ipAddresses: {error}") from None
    return {**found, "subject": dict(spec.get("subject") or {})}


def _key(wanted: Obj) -> Key:
    algorithm = wanted.get("algorithm") or "RSA"
    size = wanted.get("size") or _DEFAULT_SIZES[algorithm]
    if algorithm == "RSA" and not 2048 <= size <= 8192:
        raise Unusable(f"spec.privateKey.size: must be between 2048 and 8192 for rsa keyAlgorithm, not {size}")
    if algorithm == "ECDSA" and size not in (256, 384, 521):
        raise Unusable(f"spec.privateKey.size: {size} is not 256, 384 or 521, which ecdsa has")
    size = 0 if algorithm == "Ed25519" else size
    return Key(algorithm, size, wanted.get("encoding") or "PKCS1", wanted.get("rotationPolicy") == "Never")


def _duration(spec: Obj, field: str) -> timedelta | None:
    if not spec.get(field):
        return None
    try:
        return parse_duration(spec[field])
    except ValueError as error:
        raise Unusable(f"spec.{field}: {error}") from None
