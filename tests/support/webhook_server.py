"""A real HTTPS server for webhooks: answers reviews with a function, counts them, has a certificate of its own CA."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[dict[str, Any]], Any]
"""The whole answer to a review; something other than a dict is sent as text."""


@dataclass
class WebhookServer:
    """`bundle` is the CA in base64, as webhook configurations have it."""

    url: str
    bundle: str
    answer: Answer
    reviews: list[dict[str, Any]] = field(default_factory=list)


@asynccontextmanager
async def webhook_server(folder: Path, answer: Answer) -> AsyncIterator[WebhookServer]:
    """Serve on a free port of 127.0.0.1 until left."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    running = WebhookServer("", base64.b64encode(certificate.read_bytes()).decode(), answer)

    async def handle(request: web.Request) -> web.Response:
        review = await request.json()
        running.reviews.append(review)
        said = running.answer(review)
        return web.json_response(said) if isinstance(said, dict) else web.Response(status=500, text=str(said))

    application = web.Application()
    application.router.add_post("/convert", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    running.url = f"https://127.0.0.1:{runner.addresses[0][1]}/convert"
    try:
        yield running
    finally:
        await runner.cleanup()


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("hook.default.svc")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "webhook.crt", folder / "webhook.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private
