"""A real HTTPS server that answers AdmissionReviews, on the loopback address, with a certificate of its own.

async with running_webhook(answer) as webhook:
    webhook.url, webhook.bundle     # for a clientConfig
    webhook.reviews                 # what it was sent
`answer` is given the request of a review and returns the response (its uid is filled in), or bytes to send as they are.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | bytes]]


@dataclass(slots=True)
class Webhook:
    """`bundle`: the `caBundle`."""

    url: str
    bundle: str
    reviews: list[dict[str, Any]] = field(default_factory=list)


def allowing(**response: Any) -> Answer:
    """Says yes, and what else is given."""

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": True, **response}

    return answer


def patching(*operations: dict[str, Any]) -> Answer:
    """Says yes with a JSON patch."""
    return allowing(patchType="JSONPatch", patch=base64.b64encode(orjson.dumps(operations)).decode())


def _certificate(folder: Path) -> tuple[Path, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("hook.default.svc"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = folder / "server.pem"
    file.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file, base64.b64encode(pem).decode()


@asynccontextmanager
async def running_webhook(answer: Answer) -> AsyncIterator[Webhook]:
    """Start one on a free port; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="skerry-webhook-") as temporary:
        file, bundle = _certificate(Path(temporary))
        webhook = Webhook("", bundle)

        async def handle(http: web.Request) -> web.Response:
            review = await http.json()
            webhook.reviews.append({**review, "timeout": http.query.get("timeout")})
            response = await answer(review["request"])
            if isinstance(response, bytes):
                return web.Response(body=response)
            response = {"uid": review["request"]["uid"], **response}
            return web.json_response({**review, "request": None, "response": response})

        app = web.Application()
        app.router.add_post("/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        webhook.url = f"https://127.0.0.1:{port}/review"
        try:
            yield webhook
        finally:
            await runner.cleanup()
