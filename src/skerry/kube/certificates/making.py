"""Making X.509 certificates. Imported only when one must be made: `cryptography` costs 26 MB of memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from skerry.kube.certificates.wanted import BACKDATED, Wanted


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes


def issue_authority(wanted: Wanted, now: datetime, kept: bytes | None = None) -> Pair:
    """A certificate authority of its own making. `kept`: the key (PEM) it had before; what it signed stays good."""
    key = _read_key(kept) if kept else ec.generate_private_key(ec.SECP256R1())
    return _authority(wanted, _subject(wanted), key, now)


def renew_authority(authority: tuple[bytes, bytes], days: int, now: datetime) -> Pair:
    """The same authority (certificate and key, PEM), with its name and its key, for so many days from now on: whoever
    trusts the old certificate trusts what this one issues."""
    before = x509.load_pem_x509_certificate(authority[0])
    return _authority(Wanted("", "", days=days), before.subject, _read_key(authority[1]), now)


def _authority(wanted: Wanted, name: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime) -> Pair:
    usage = _usage(sign_certificates=True)
    builder = _builder(wanted, name, name, key.public_key(), now)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return _pair(builder.sign(key, hashes.SHA256()), key)


def issue_leaf(wanted: Wanted, authority: tuple[bytes, bytes], now: datetime) -> Pair:
    """A server's certificate when names are wanted, a client's otherwise. `authority`: certificate and key, PEM."""
    issuer = x509.load_pem_x509_certificate(authority[0])
    issuer_key = _read_key(authority[1])
    key = ec.generate_private_key(ec.SECP256R1())
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if wanted.names else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = _builder(wanted, _subject(wanted), issuer.subject, key.public_key(), now)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(sign_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(_issued_by(issuer), critical=False)
    if wanted.names:
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in wanted.names])
        builder = builder.add_extension(alternatives, critical=False)
    return _pair(builder.sign(issuer_key, hashes.SHA256()), key)


def _read_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def new_key() -> bytes:
    """A private key of its own, PEM."""
    return _private_pem(ec.generate_private_key(ec.SECP256R1()))


def _builder(
    wanted: Wanted, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - BACKDATED,
        not_valid_after=now + timedelta(days=wanted.days),
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _subject(wanted: Wanted) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, wanted.common_name)]
    if wanted.organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, wanted.organization))
    return x509.Name(attributes)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), _private_pem(key))


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """As SEC 1 has it: from PKCS #8 the Java client fabric8 does not see that a kubeconfig's key is no RSA key."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption())
