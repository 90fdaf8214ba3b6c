"""What a certificate and its key say, as plain data that decisions can be made on."""

from __future__ import annotations

from typing import Any

from cryptography import x509

from skerry.engine.certificates.helper.errors import Refused
from skerry.engine.certificates.helper.keys import described, load_key, names_of, public_text


def read_pair(certificate: str, key: str) -> dict[str, Any]:
    """Names, `isCA`, `notBefore` and `notAfter` (seconds since 1970), `serial` of the first certificate of a chain,
    `algorithm` and `size` of the key. Raises Refused when they cannot be read or do not belong together."""
    loaded = load_chain(certificate)[0]
    private = load_key(key)
    if public_text(private.public_key()) != public_text(loaded.public_key()):
        raise Refused("the private key does not match the certificate")
    return {
        **names_of(loaded),
        **described(private),
        "isCA": is_authority(loaded),
        "notBefore": int(loaded.not_valid_before_utc.timestamp()),
        "notAfter": int(loaded.not_valid_after_utc.timestamp()),
        "serial": f"{loaded.serial_number:x}",
        "key": public_text(private.public_key()),
    }


def load_chain(pem: str) -> list[x509.Certificate]:
    """At least one certificate. Raises Refused."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise Refused(f"the certificate cannot be read: {error}") from None


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
