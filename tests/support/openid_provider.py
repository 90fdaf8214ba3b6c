"""OpenID Connect providers, real ones (npm's oidc-provider), on loopback, with people whom tests change meanwhile."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from skerry.platform.identity.types import IDENTITY_PROVIDERS
from tests.support.browser import Answer, Browser
from tests.support.dns_servers import free_port
from tests.support.javascript import Javascript
from tests.support.platform import RunningPlatform
from tests.support.program import program_path
from tests.support.waiting import eventually, until

SECRET = "a secret: of / the client"


@dataclass
class OpenIdProvider:
    """One that runs. `people`: claims by subject."""

    javascript: Javascript
    folder: Path
    settings: dict[str, Any]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.settings['port']}"

    def say(self, subject: str, **claims: Any) -> None:
        """What the provider says of somebody from now on."""
        self.people[subject] = {**self.people.get(subject, {}), **claims}
        self._write()

    def forget(self, subject: str) -> None:
        """The person is none of the provider's any more."""
        del self.people[subject]
        self._write()

    def start(self) -> None:
        """On the port it had; it has forgotten its keys and all tokens."""
        self._write()
        (self.folder / "settings.json").write_text(json.dumps(self.settings))
        program = str(self.javascript.directory / "openid_provider.mjs")
        output = (self.folder / "output").open("wb")
        command = [program_path("node"), program, str(self.folder / "settings.json")]
        self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        output.close()
        eventually(lambda: "listening" in (self.folder / "output").read_text(), "the OpenID Connect provider")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _write(self) -> None:
        file = self.folder / "people.new"
        file.write_text(json.dumps(self.people))
        file.replace(self.settings["accounts"])


@contextlib.contextmanager
def openid_provider(
    javascript: Javascript, folder: Path, redirect_uri: str, *, public: bool = False, seconds: int = 3600
) -> Iterator[OpenIdProvider]:
    """`public`: its client has no secret; `seconds`: for which access tokens are good."""
    folder.mkdir()
    how: dict[str, Any] = {"token_endpoint_auth_method": "none"} if public else {"client_secret": SECRET}
    client = {
        "client_id": "skerry",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        **how,
    }
    settings = {"port": free_port(), "client": client, "accounts": str(folder / "people.json"), "seconds": seconds}
    running = OpenIdProvider(javascript, folder, settings)
    running.start()
    try:
        yield running
    finally:
        running.stop()


async def add_openid_provider(
    running: RunningPlatform, name: str, provider: OpenIdProvider, more: dict[str, Any] | None = None, **oidc: Any
) -> None:
    """An IdentityProvider for it. Returns when it is ready. `oidc`: more of `spec.oidc`."""
    settings = {"issuer": provider.issuer, "clientId": "skerry", **oidc}
    spec = {"type": "OIDC", "oidc": settings, **(more or {})}
    whole = {"apiVersion": IDENTITY_PROVIDERS.api_version, "kind": "IdentityProvider", "metadata": {"name": name}}
    await running.admin.create(IDENTITY_PROVIDERS, {**whole, "spec": spec})
    await until(
        lambda: has_condition(running, name, "True", "Answers", f"/identity/oidc/{name}/callback"),
        f"{name} to be ready",
    )


async def has_condition(running: RunningPlatform, name: str, status: str, reason: str, message: str = "") -> bool:
    """Whether an IdentityProvider says so."""
    conditions = (await running.admin.get(IDENTITY_PROVIDERS, name)).get("status", {}).get("conditions", [])
    return any((one["status"], one["reason"]) == (status, reason) and message in one["message"] for one in conditions)


async def sign_in_elsewhere(someone: Browser, path: str, subject: str) -> str:
    """Begin at our `path`, or at an address elsewhere, sign in and agree there: the path at which the browser comes
    back, not yet asked for."""
    page = await _followed(someone, "GET", path if path.startswith("http") else f"{someone.url}{path}")
    assert isinstance(page, Answer)
    page = await _submitted(someone, page, login=subject, password="any")
    if isinstance(page, Answer):
        page = await _submitted(someone, page)
    assert isinstance(page, str)
    return page


async def _submitted(someone: Browser, page: Answer, **fields: str) -> Answer | str:
    action = re.findall(r'<form[^>]*action="([^"]*)"', page.text)[0]
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
    return await _followed(someone, "POST", action, {**dict(hidden), **fields})


async def _followed(someone: Browser, method: str, url: str, fields: dict[str, str] | None = None) -> Answer | str:
    """The page in the end, or, as soon as that is one of ours, its path."""
    while True:
        answer = await someone.ask(method, url, fields)
        assert answer.status < 400, answer.says()
        if answer.status == 200:
            return answer
        url = urljoin(url, answer.location)
        if url.startswith(someone.url):
            return url.removeprefix(someone.url)
        method, fields = "GET", None
