"""A real HTTPS server on a free port of the loopback address, with a certificate of its own CA: what webhooks are."""

from __future__ import annotations

import base64
import ipaddress
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handle = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True)
class Address:
    """`bundle` is the CA in base64, as webhook configurations have it."""

    url: str
    bundle: str


@asynccontextmanager
async def https_server(handle: Handle, path: str) -> AsyncIterator[Address]:
    """Serve POSTs to any path; `path` is that of the URL given."""
    with tempfile.TemporaryDirectory(prefix="skerry-webhook-") as temporary:
        file, bundle = _certificate(Path(temporary))
        application = web.Application()
        application.router.add_post("/{path:.*}", handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            yield Address(f"https://127.0.0.1:{runner.addresses[0][1]}{path}", bundle)
        finally:
            await runner.cleanup()


def _certificate(folder: Path) -> tuple[Path, str]:
    """A file with certificate and key, and the bundle to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    now = datetime.now(UTC)
    names = [x509.DNSName("hook.default.svc"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "server.pem"
    file.write_bytes(pem + key.private_bytes(*form))
    return file, base64.b64encode(pem).decode()
