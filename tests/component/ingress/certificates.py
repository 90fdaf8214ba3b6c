"""Certificates for tests, and TLS contexts that look at what a server shows."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass

from cryptography import x509

from skerry.kube.certificates.making import Pair, issue_authority, issue_leaf
from skerry.kube.certificates.wanted import Wanted


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own."""

    pair: Pair

    @classmethod
    def make(cls) -> Authority:
        return cls(issue_authority(Wanted("test", common_name="Test CA"), _now()))

    def secret(self, *names: str, days: int = 30) -> dict[str, str]:
        """The texts of a TLS Secret for these names."""
        wanted = Wanted("leaf", common_name=names[0], names=names, days=days)
        leaf = issue_leaf(wanted, (self.pair.certificate, self.pair.key), _now())
        return {"tls.crt": leaf.certificate.decode(), "tls.key": leaf.key.decode()}

    def context(self) -> ssl.SSLContext:
        """Trusts this authority and nobody else."""
        return ssl.create_default_context(cadata=self.pair.certificate.decode())


def trusting_anybody() -> ssl.SSLContext:
    """Believes every certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def names_in(der: bytes) -> list[str]:
    """The names a certificate is for."""
    certificate = x509.load_der_x509_certificate(der)
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    )


def issuer_of(der: bytes) -> str:
    """The common name of who issued a certificate."""
    return x509.load_der_x509_certificate(der).issuer.rfc4514_string()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
