"""Private keys, and requests for certificates (PKCS#10) signed with them. Everything is PEM text.

Source of sizes and encodings: cert-manager's `pkg/util/pki/generate.go` and `csr.go`.
"""

from __future__ import annotations

import base64
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

from skerry.engine.certificates.helper.errors import Refused

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_CURVES: dict[int, type[ec.EllipticCurve]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}
_SUBJECT = {
    "countries": NameOID.COUNTRY_NAME,
    "organizations": NameOID.ORGANIZATION_NAME,
    "organizationalUnits": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "localities": NameOID.LOCALITY_NAME,
    "provinces": NameOID.STATE_OR_PROVINCE_NAME,
    "streetAddresses": NameOID.STREET_ADDRESS,
    "postalCodes": NameOID.POSTAL_CODE,
}


def new_key(algorithm: str, size: int, encoding: str) -> str:
    """`algorithm`: "RSA", "ECDSA", "Ed25519"; `size`: bits, of the curve for ECDSA; `encoding`: "PKCS1", "PKCS8"."""
    if algorithm == "ECDSA":
        key: Key = ec.generate_private_key(_CURVES[size]())
    elif algorithm == "Ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(65537, size)
    traditional = encoding == "PKCS1" and algorithm != "Ed25519"
    form = serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def load_key(pem: str) -> Key:
    """Raises Refused for what is no private key, or of a sort that certificates here do not have."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Refused(f"the private key cannot be read: {error}") from None
    if not isinstance(key, Key):
        raise Refused(f"private keys of type {type(key).__name__} are not supported")
    return key


def read_key(pem: str) -> dict[str, Any]:
    """Algorithm and size of a private key."""
    return described(load_key(pem))


def described(key: Key) -> dict[str, Any]:
    """Algorithm and size, as `spec.privateKey` of a Certificate has them."""
    if isinstance(key, rsa.RSAPrivateKey):
        return {"algorithm": "RSA", "size": key.key_size}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"algorithm": "ECDSA", "size": key.key_size}
    return {"algorithm": "Ed25519", "size": 0}


def new_request(key: str, names: dict[str, Any]) -> str:
    """A request. `names`: commonName, subject, dnsNames, ipAddresses, uris, emailAddresses."""
    loaded = load_key(key)
    try:
        builder = x509.CertificateSigningRequestBuilder(x509.Name(_subject(names)))
        if alternatives := _alternatives(names):
            extension = x509.SubjectAlternativeName(alternatives)
            builder = builder.add_extension(extension, critical=not _subject(names))
        return builder.sign(loaded, digest_for(loaded)).public_bytes(serialization.Encoding.PEM).decode()
    except ValueError as error:
        raise Refused(f"no certificate can bear these names: {error}") from None


def digest_for(key: CertificateIssuerPrivateKeyTypes) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """What a signature by this key is made over."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256:
        return hashes.SHA384() if key.key_size == 384 else hashes.SHA512()
    return hashes.SHA256()


def read_request(request: str) -> dict[str, Any]:
    """Names in a request (PEM), and the public key. Raises Refused for a bad one."""
    return {**names_of(load_request(request)), "key": public_text(load_request(request).public_key())}


def load_request(pem: str) -> x509.CertificateSigningRequest:
    """Raises Refused when it cannot be read or its signature is not good."""
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        if not request.is_signature_valid:
            raise Refused("the signature of the request is not valid")
        names_of(request)
    except (ValueError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as error:
        raise Refused(f"the request cannot be read: {error}") from None
    return request


def names_of(bearer: x509.CertificateSigningRequest | x509.Certificate) -> dict[str, Any]:
    """commonName, dnsNames, ipAddresses, uris, emailAddresses and subject of a request or a certificate."""
    try:
        names = bearer.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    common = bearer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    serial = bearer.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    subject: dict[str, Any] = {
        word: found
        for word, kind in _SUBJECT.items()
        if (found := [str(one.value) for one in bearer.subject.get_attributes_for_oid(kind)])
    }
    return {
        "commonName": str(common[0].value) if common else "",
        "dnsNames": names.get_values_for_type(x509.DNSName),
        "ipAddresses": [str(one) for one in names.get_values_for_type(x509.IPAddress)],
        "uris": names.get_values_for_type(x509.UniformResourceIdentifier),
        "emailAddresses": names.get_values_for_type(x509.RFC822Name),
        "subject": {**subject, **({"serialNumber": str(serial[0].value)} if serial else {})},
    }


def public_text(key: Any) -> str:
    """A public key, to be compared with another."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_bytes(encoding, form)).decode()


def _subject(names: dict[str, Any]) -> list[x509.NameAttribute[str]]:
    wanted = names.get("subject") or {}
    found = [x509.NameAttribute(kind, value) for word, kind in _SUBJECT.items() for value in wanted.get(word) or ()]
    if wanted.get("serialNumber"):
        found.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, wanted["serialNumber"]))
    if names.get("commonName"):
        found.append(x509.NameAttribute(NameOID.COMMON_NAME, names["commonName"]))
    return found


def _alternatives(names: dict[str, Any]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = [x509.DNSName(name) for name in names.get("dnsNames") or ()]
    found += [x509.IPAddress(ip_address(name)) for name in names.get("ipAddresses") or ()]
    found += [x509.UniformResourceIdentifier(name) for name in names.get("uris") or ()]
    return [*found, *(x509.RFC822Name(name) for name in names.get("emailAddresses") or ())]
