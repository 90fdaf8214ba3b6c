"""An OpenID Connect issuer of the tests' own: HTTPS with its own authority, real keys, a counter of what is asked."""

from __future__ import annotations

import ssl
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from skerry.kube.certificates.making import issue_authority, issue_leaf
from skerry.kube.certificates.wanted import Wanted


class Issuer:
    """`url` once it runs. `claims`: what a token says unless told otherwise."""

    def __init__(self, authority: str) -> None:
        self.url = ""
        self.authority = authority
        self.asked: Counter[str] = Counter()
        self.up = True
        self.called: str | None = None
        """What it says its name is; None: the truth."""
        self.keys: dict[str, Any] = {}
        self.new_key("one")

    def new_key(self, name: str, kind: str = "EC") -> None:
        """From now on tokens are signed with this one; the others are gone."""
        self.signing = name
        made: Any = ec.generate_private_key(ec.SECP256R1())
        self.keys = {name: made if kind == "EC" else rsa.generate_private_key(65537, 2048)}

    def token(self, algorithm: str = "ES256", **claims: Any) -> str:
        """A token for `skerry` that is good for ten minutes."""
        now = int(time.time())
        said = {"iss": self.url, "aud": "skerry", "sub": "anna", "iat": now, "exp": now + 600, **claims}
        key = self.keys[self.signing]
        return jwt.encode(
            {name: value for name, value in said.items() if value is not None},
            key,
            algorithm,
            headers={"kid": self.signing},
        )

    async def discovery(self, _request: web.Request) -> web.Response:
        self._count("discovery")
        return web.json_response({"issuer": self.called or self.url, "jwks_uri": f"{self.url}/keys"})

    async def published(self, _request: web.Request) -> web.Response:
        self._count("keys")
        found = []
        for name, key in self.keys.items():
            kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
            found.append({**kind.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig"})
        return web.json_response({"keys": found})

    def _count(self, what: str) -> None:
        self.asked[what] += 1
        if not self.up:
            raise web.HTTPServiceUnavailable


@asynccontextmanager
async def running_issuer() -> AsyncIterator[Issuer]:
    """Start one on a free port."""
    now = datetime.now(UTC)
    authority = issue_authority(Wanted("ca", "tests"), now)
    pair = issue_leaf(Wanted("issuer", "issuer", names=("127.0.0.1",)), (authority.certificate, authority.key), now)
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "issuer.pem"
        both.write_bytes(pair.certificate + pair.key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(both)
    issuer = Issuer(authority.certificate.decode())
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", issuer.discovery)
    app.router.add_get("/elsewhere", issuer.discovery)
    app.router.add_get("/keys", issuer.published)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    assert runner.addresses
    issuer.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()
