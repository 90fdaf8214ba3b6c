"""TLS as the API serves it: what is shown and who is asked for a certificate. Files are `pki`'s."""

from __future__ import annotations

import ssl

from skerry.engine.api.auth.client_certificates import ask_for_certificates
from skerry.engine.api.pki import Pki


def tls_context() -> ssl.SSLContext:
    """TLS 1.2 or newer; client certificates of our CA are asked for, not required."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    ask_for_certificates(context)
    context.set_alpn_protocols(["http/1.1"])
    return context


def show_certificates(context: ssl.SSLContext, pki: Pki) -> None:
    """On connections from now on. An authority that was renewed is trusted beside the one before it: same name, same
    key."""
    context.load_cert_chain(pki.certificate("server"), pki.key("server"))
    context.load_verify_locations(pki.certificate("ca"))
