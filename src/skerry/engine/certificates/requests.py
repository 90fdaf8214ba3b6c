"""Requests for certificates (PKCS#10): reading one, and issuing what it asks for. Imports `cryptography`.

Source of the behaviour: Kubernetes' `pkg/apis/certificates/helpers.go` and
`pkg/controller/certificates/authority`: names and subject are the request's, usages and life time the signer's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from skerry.engine.certificates.usages import EXTENDED_USAGES, KEY_USAGES

_BEGIN = b"-----BEGIN CERTIFICATE REQUEST-----"
_BACKDATED = timedelta(minutes=5)
_SHORT = timedelta(hours=8)
"""A certificate that lives no longer is not shortened by the back-dating."""


class RequestError(Exception):
    """What is wrong with a request."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose signature is good."""

    parsed: x509.CertificateSigningRequest

    @property
    def common_name(self) -> str:
        """Of the subject, "" when absent."""
        return next(iter(self._subject(NameOID.COMMON_NAME)), "")

    @property
    def organizations(self) -> list[str]:
        """Of the subject: groups, for a client."""
        return self._subject(NameOID.ORGANIZATION_NAME)

    def alternatives(self, sort: type[x509.GeneralName]) -> list[x509.GeneralName]:
        """Alternative names of a sort."""
        names = self.alternative_names()
        return [name for name in names or () if isinstance(name, sort)]

    def alternative_names(self) -> x509.SubjectAlternativeName | None:
        """All of them, None without the extension."""
        try:
            return self.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return None

    def _subject(self, kind: ObjectIdentifier) -> list[str]:
        return [str(attribute.value) for attribute in self.parsed.subject.get_attributes_for_oid(kind)]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the signer grants. `authority`: certificate and key, PEM."""

    usages: Collection[str]
    lifetime: timedelta
    now: datetime
    authority: tuple[bytes, bytes]


def read_request(encoded: str) -> Request:
    """`spec.request` (base64 of PEM). Raises RequestError."""
    try:
        pem = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise RequestError(str(error)) from None
    if _BEGIN not in pem:
        raise RequestError("PEM block type must be CERTIFICATE REQUEST")
    try:
        request = Request(x509.load_pem_x509_csr(pem))
        request.alternative_names()
        if not request.parsed.is_signature_valid:
            raise RequestError("the signature of the request is not valid")
    except (ValueError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise RequestError(str(error)) from None
    return request


def issue(request: Request, terms: Terms) -> bytes:
    """The certificate, PEM. It ends no later than the authority's own."""
    issuer = x509.load_pem_x509_certificate(terms.authority[0])
    key = serialization.load_pem_private_key(terms.authority[1], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    begins = terms.now - _BACKDATED
    ends = (terms.now if terms.lifetime < _SHORT else begins) + terms.lifetime
    public_key = request.parsed.public_key()
    builder = x509.CertificateBuilder(
        subject_name=request.parsed.subject,
        issuer_name=issuer.subject,
        public_key=public_key,
        serial_number=x509.random_serial_number(),
        not_valid_before=begins,
        not_valid_after=min(ends, issuer.not_valid_after_utc),
    )
    for extension, critical in _extensions(request, terms.usages, issuer):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _extensions(
    request: Request, usages: Collection[str], issuer: x509.Certificate
) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=False, path_length=None), True)]
    if bits := {KEY_USAGES[usage] for usage in usages if usage in KEY_USAGES}:
        found.append((_key_usage(bits), True))
    if purposes := dict.fromkeys(EXTENDED_USAGES[usage] for usage in usages if usage in EXTENDED_USAGES):
        found.append((x509.ExtendedKeyUsage([ObjectIdentifier(purpose) for purpose in purposes]), False))
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    found.append((x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False))
    names = request.alternative_names()
    return found if names is None else [*found, (names, False)]


def _key_usage(bits: Collection[str]) -> x509.KeyUsage:
    """X.509 allows the last two with key agreement only."""
    settings: dict[str, Any] = {bit: bit in bits for bit in KEY_USAGES.values()}
    if not settings["key_agreement"]:
        settings |= {"encipher_only": False, "decipher_only": False}
    return x509.KeyUsage(**settings)


def check_certificates(encoded: str) -> str:
    """What is wrong with `status.certificate` (base64 of PEM), "" when nothing is."""
    try:
        pem = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        return str(error)
    kinds = [line[11:-5].decode(errors="replace") for line in pem.splitlines() if line.startswith(b"-----BEGIN ")]
    if not kinds:
        return "must contain one or more CERTIFICATE PEM blocks"
    for kind in kinds:
        if kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{kind}"'
    try:
        x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        return str(error)
    return ""
