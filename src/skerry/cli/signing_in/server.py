"""Requests to a platform's web: its login server (RFC 6749, 7009, 8628) and the tokens of programs.

Plain `urllib`, so that a credential plug-in starts quickly. Redirects are not followed: tokens go to nobody else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from skerry.cli.errors import CommandFailed
from skerry.kube.records import record

CLIENT = "skerry-cli"
GATEWAY = "/k8s"
"""Below it is the Kubernetes API."""
_SECONDS = 30.0
_METADATA = "/.well-known/oauth-authorization-server/identity"
_AUTHORITY = "/identity/ca.crt"


class Refused(CommandFailed):
    """What the login server answered: `error` is a word of RFC 6749 or RFC 8628, the text is for people."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(why)
        self.error = error


@record
class Tokens:
    """What the login server gave."""

    access: str
    refresh: str
    seconds: int
    """How long the access token is good."""


class Server:
    """One platform."""

    def __init__(self, url: str, ca: str = "") -> None:
        """`ca`: whom to trust there, PEM; "": whom this machine trusts. Raises CommandFailed."""
        if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise CommandFailed(f"{url!r} is not the address of a platform: https://host:port")
        self.url, self.ca = url.rstrip("/"), ca
        try:
            context = ssl.create_default_context(cadata=ca or None)
        except (ssl.SSLError, ValueError) as error:
            raise CommandFailed(f"the authority's certificate cannot be used: {error}") from None
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirect())

    def check(self) -> None:
        """That a platform is there, and trusted, before anybody is sent to it. Raises CommandFailed."""
        code, answer = self._ask("GET", _METADATA, None, {})
        if code != 200 or not isinstance(answer, dict):
            raise CommandFailed(f"{self.url} is no platform of Skerry: it answered {code}")

    def token(self, grant: str, **said: str) -> Tokens:
        """From the token endpoint. Raises Refused, CommandFailed."""
        answer = self.form("/identity/token", grant_type=grant, **said)
        return Tokens(answer["access_token"], answer.get("refresh_token", ""), int(answer["expires_in"]))

    def revoke(self, token: str) -> None:
        """End the session that a token is of. Raises Refused, CommandFailed."""
        self.form("/identity/revoke", token=token)

    def form(self, path: str, **said: str) -> Any:
        """POST as a form; the JSON of the answer, None when there is none. Raises Refused, CommandFailed."""
        body = urlencode({"client_id": CLIENT, **said}).encode()
        code, answer = self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        if code >= 400:
            told = answer if isinstance(answer, dict) else {}
            raise Refused(str(told.get("error", code)), str(told.get("error_description", f"it answered {code}")))
        return answer

    def json(self, method: str, path: str, token: str, said: Mapping[str, Any] | None = None) -> Any:
        """A request with a token. Raises CommandFailed with what the server says."""
        return self.send(method, path, token, json.dumps(said).encode() if said is not None else None)

    def send(
        self, method: str, path: str, token: str, body: bytes | None, content_type: str = "application/json"
    ) -> Any:
        """A request with a token and any body; the JSON of the answer. Raises CommandFailed with what the server
        says."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
        code, answer = self._ask(method, path, body, headers)
        if code >= 400:
            raise CommandFailed(str(answer["message"]) if isinstance(answer, dict) else f"{self.url} answered {code}")
        return answer

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Any]:
        request = urllib.request.Request(self.url + path, body, headers, method=method)  # noqa: S310  # https, see above
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                return answer.status, _read(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _read(error.read())
        except OSError as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: OSError) -> CommandFailed:
        reason = getattr(error, "reason", error)
        if not isinstance(reason, ssl.SSLCertVerificationError):
            return CommandFailed(f"{self.url} does not answer: {reason}")
        return CommandFailed(
            f"this machine does not trust {self.url} ({reason.verify_message}): give the authority's certificate with "
            f"--ca, or its fingerprint with --fingerprint (operators see it with `skerry login --show-fingerprint`)"
        )


def authority_of(url: str) -> str:
    """The certificate (PEM) of the authority that a platform names: to be compared before it is trusted. Raises
    CommandFailed."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing secret is sent, what comes is compared
    try:
        with urllib.request.urlopen(url.rstrip("/") + _AUTHORITY, timeout=_SECONDS, context=context) as answer:  # noqa: S310
            return str(answer.read(64 * 1024).decode("ascii"))
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{url} does not tell its authority: {error}") from None


def fingerprint_of(pem: str) -> str:
    """SHA-256 of a certificate, as openssl shows it, with colons. Raises CommandFailed."""
    try:
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.strip())).hexdigest().upper()
    except (ValueError, binascii.Error):
        raise CommandFailed("that is not one certificate in PEM") from None
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def challenge_of(verifier: str) -> str:
    """The S256 code challenge (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Answer None: a redirect is an answer like others."""


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
