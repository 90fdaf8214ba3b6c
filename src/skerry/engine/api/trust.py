"""TLS settings for the servers that cluster objects name (webhooks, extension API servers), from a `caBundle`.

As in Go, whatever stands in the bundle is trusted, a server's own certificate included, and a certificate without
alternative names has no name. Source: client-go `transport.TLSConfigFor`, Go's `crypto/x509`.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Callable
from pathlib import Path

_KEPT = 64


class BadBundle(ValueError):
    """No certificates can be read from a bundle."""


def trusting(bundle: str) -> ssl.SSLContext:
    """A client's settings. `bundle`: PEM in base64, "" for the machine's own authorities. Raises BadBundle."""
    try:
        pem = base64.b64decode(bundle).decode("ascii") if bundle else None
        context = ssl.create_default_context(cadata=pem)
    except (binascii.Error, UnicodeDecodeError, ssl.SSLError) as error:
        raise BadBundle(f"unable to load root certificates: {error}") from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False
    return context


def unverified() -> ssl.SSLContext:
    """A client's settings for a server whose certificate is not looked at (`insecureSkipTLSVerify`)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Contexts:
    """Settings kept for the bundles that are used: reading one takes longer than a request."""

    def __init__(self, make: Callable[[str], ssl.SSLContext]) -> None:
        self._make = make
        self._kept: dict[str, ssl.SSLContext] = {}

    def forget(self) -> None:
        """Make them anew when they are asked for."""
        self._kept.clear()

    def of(self, bundle: str) -> ssl.SSLContext:
        """Raises BadBundle."""
        context = self._kept.get(bundle)
        if context is None:
            context = self._make(bundle)
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[bundle] = context
        return context


def with_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> ssl.SSLContext:
    """The same settings, with a certificate to show (PEM files)."""
    context.load_cert_chain(certificate, key)
    return context
