"""Certificates from Secrets, checked, and those of the built-in authority for hosts that have none.

`cryptography` costs 26 MB and is imported at the first use, in a thread. What was checked once is remembered.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from skerry.engine.network.ingress.materials import Certificate

FALLBACK_NAME = "ingress.local"
"""The common name of what is shown for hosts that no Ingress names."""
_DAYS = 90
_RENEW = timedelta(days=30)


class BadCertificate(ValueError):
    """A pair that cannot be used; the message says why, without any of its content."""


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate of the built-in authority."""

    certificate: Certificate
    issuer: bytes
    """The certificate of the authority."""
    renew: datetime
    """When the next one must be made."""


def checked(certificate: str, key: str, host: str, now: datetime) -> Certificate:
    """The pair, if it fits together, is for the host and is not over. Raises BadCertificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        chain = x509.load_pem_x509_certificates(certificate.encode())
    except ValueError:
        raise BadCertificate("tls.crt is no certificate in PEM") from None
    try:
        private = load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        raise BadCertificate("tls.key is no private key in PEM without a password") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != chain[0].public_key().public_bytes(*form):
        raise BadCertificate("tls.key does not belong to the certificate in tls.crt")
    if chain[0].not_valid_after_utc <= now:
        raise BadCertificate(f"the certificate is over since {chain[0].not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
    if not _is_for(chain[0], host):
        raise BadCertificate(f"the certificate is not for {host}")
    return Certificate(_tag(certificate), certificate, key)


def issue(host: str, authority: tuple[bytes, bytes], now: datetime) -> Issued:
    """A certificate for a host ("" for all others) by an authority: certificate and key, PEM. Raises ValueError."""
    from skerry.kube.certificates.making import issue_leaf
    from skerry.kube.certificates.wanted import Wanted

    name = host or FALLBACK_NAME
    wanted = Wanted("ingress", common_name=name if len(name) <= 64 else FALLBACK_NAME, names=(name,), days=_DAYS)
    try:
        pair = issue_leaf(wanted, authority, now)
    except AssertionError:
        raise ValueError("the key of the built-in authority is not of the kind P-256") from None
    text = pair.certificate.decode() + authority[0].decode()
    made = Certificate(_tag(text), text, pair.key.decode())
    return Issued(made, authority[0], now + timedelta(days=_DAYS) - _RENEW)


def _is_for(certificate: object, host: str) -> bool:
    from cryptography import x509

    assert isinstance(certificate, x509.Certificate)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    names = {name.lower() for name in found.get_values_for_type(x509.DNSName)}
    return host in names or f"*.{host.partition('.')[2]}" in names


def _tag(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
