"""Signing certificates with an authority that is at hand, or with their own key.

Source of the behaviour: cert-manager's `pkg/util/pki/certificatetemplate.go` (names and subject are the request's, the
rest is the requester's), and `pkg/controller/certificaterequests/ca` for the chain that is handed out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import AuthorityInformationAccessOID, ObjectIdentifier

from skerry.engine.certificates.helper.errors import Refused
from skerry.engine.certificates.helper.keys import digest_for, load_key, load_request, public_text
from skerry.engine.certificates.helper.reading import is_authority, load_chain
from skerry.engine.certificates.usages import EXTENDED_USAGES, KEY_USAGES


def sign(
    request: str, terms: dict[str, Any], authority: dict[str, str], points: dict[str, list[str]]
) -> dict[str, str]:
    """`terms`: `now` and `seconds` (of life), `isCA`, `usages`. `authority`: `certificate` (chain) and `key`. `points`:
    `crlDistributionPoints`, `ocspServers`. Gives `certificate` with what leads to the root, and `ca`, the root."""
    chain = load_chain(authority["certificate"])
    issuer, key = chain[0], load_key(authority["key"])
    if not is_authority(issuer):
        raise Refused("the certificate in the Secret is not that of an authority (CA:TRUE)")
    if public_text(key.public_key()) != public_text(issuer.public_key()):
        raise Refused("the private key in the Secret does not match its certificate")
    begins, ends = _lifetime(terms)
    if issuer.not_valid_after_utc <= begins:
        raise Refused("the authority's certificate has expired")
    asked = load_request(request)
    builder = _builder(asked, terms, (begins, min(ends, issuer.not_valid_after_utc)), issuer.subject)
    builder = _with_points(builder.add_extension(_issued_by(issuer), False), points)
    made = builder.sign(key, digest_for(key))
    leading = [made, *(one for one in chain if one.issuer != one.subject)]
    return {"certificate": "".join(_pem(one) for one in leading), "ca": _pem(chain[-1])}


def sign_by_itself(request: str, terms: dict[str, Any], key: str, points: dict[str, list[str]]) -> dict[str, str]:
    """A certificate signed with the key that it is for: its own root."""
    loaded, asked = load_key(key), load_request(request)
    if public_text(loaded.public_key()) != public_text(asked.public_key()):
        raise Refused("the private key does not match the request")
    builder = _with_points(_builder(asked, terms, _lifetime(terms), asked.subject), points)
    made = _pem(builder.sign(loaded, digest_for(loaded)))
    return {"certificate": made, "ca": made}


def _lifetime(terms: dict[str, Any]) -> tuple[datetime, datetime]:
    begins = datetime.fromtimestamp(terms["now"], UTC)
    return begins, begins + timedelta(seconds=terms["seconds"])


def _builder(
    asked: x509.CertificateSigningRequest, terms: dict[str, Any], life: tuple[datetime, datetime], issuer: x509.Name
) -> x509.CertificateBuilder:
    public = asked.public_key()
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=asked.subject,
        public_key=public,  # the request was signed with it
        serial_number=x509.random_serial_number(),
        not_valid_before=life[0],
        not_valid_after=life[1],
    )
    constraint = x509.BasicConstraints(ca=terms["isCA"], path_length=None)
    builder = builder.add_extension(constraint, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    for extension, critical in _usages(terms):
        builder = builder.add_extension(extension, critical)
    try:
        names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return builder
    return builder.add_extension(names.value, names.critical)


def _usages(terms: dict[str, Any]) -> list[tuple[x509.ExtensionType, bool]]:
    usages = [*terms["usages"], *(("cert sign",) if terms["isCA"] else ())]
    found: list[tuple[x509.ExtensionType, bool]] = []
    if bits := {KEY_USAGES[usage] for usage in usages if usage in KEY_USAGES}:
        found.append((_key_usage(bits), True))
    if purposes := dict.fromkeys(EXTENDED_USAGES[usage] for usage in usages if usage in EXTENDED_USAGES):
        found.append((x509.ExtendedKeyUsage([ObjectIdentifier(purpose) for purpose in purposes]), False))
    return found


def _key_usage(bits: Collection[str]) -> x509.KeyUsage:
    """X.509 allows the last two with key agreement only."""
    settings: dict[str, Any] = {bit: bit in bits for bit in KEY_USAGES.values()}
    if not settings["key_agreement"]:
        settings |= {"encipher_only": False, "decipher_only": False}
    return x509.KeyUsage(**settings)


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _with_points(builder: x509.CertificateBuilder, points: dict[str, list[str]]) -> x509.CertificateBuilder:
    if lists := points.get("crlDistributionPoints"):
        one = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in lists]
        builder = builder.add_extension(x509.CRLDistributionPoints(one), False)
    if servers := points.get("ocspServers"):
        method = AuthorityInformationAccessOID.OCSP
        told = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in servers]
        builder = builder.add_extension(x509.AuthorityInformationAccess(told), False)
    return builder


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
