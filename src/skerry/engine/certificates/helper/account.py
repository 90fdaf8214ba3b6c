"""Connections to ACME servers, by certbot's library `acme`: accounts, signed requests, what servers complain about.

One connection an account is kept while the helper lives (it holds the directory and nonces) and is used by one call at
a time. Source: RFC 8555.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from threading import Lock
from time import time
from typing import Any

import requests
from acme import client, errors, messages
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from josepy import jwa, jwk
from josepy.errors import Error as JoseError

from skerry.engine.certificates.helper.errors import Refused
from skerry.engine.certificates.helper.keys import load_key

_PATIENCE = 20  # seconds a server may take to answer


class _Network(client.ClientNetwork):
    """Remembers the last answer: what it asks to wait stands in a header."""

    last: requests.Response | None = None

    def _send_request(self, *args: Any, **kwargs: Any) -> requests.Response:
        self.last = None
        self.last = super()._send_request(*args, **kwargs)
        return self.last


class Connection:
    """One account at one server."""

    def __init__(self, account: dict[str, Any]) -> None:
        self.lock = Lock()
        key = load_key(account["key"])
        if isinstance(key, ec.EllipticCurvePrivateKey):
            algorithm = {256: jwa.ES256, 384: jwa.ES384}.get(key.key_size, jwa.ES512)
            self.key: Any = jwk.JWKEC(key=key)
        elif isinstance(key, rsa.RSAPrivateKey):
            algorithm, self.key = jwa.RS256, jwk.JWKRSA(key=key)
        else:
            raise Refused("an ACME account's key is RSA or ECDSA")
        self.network = _Network(self.key, alg=algorithm, user_agent="skerry", timeout=_PATIENCE)
        self.network.verify_ssl = _whom_to_believe(account)
        if account["uri"]:
            body = messages.Registration()
            self.network.account = messages.RegistrationResource(body=body, uri=account["uri"])
        self._directory = account["directory"]
        self._client: client.ClientV2 | None = None

    @property
    def client(self) -> client.ClientV2:
        """Knows the server's directory."""
        if self._client is None:
            directory = client.ClientV2.get_directory(self._directory, self.network)
            self._client = client.ClientV2(directory, self.network)
        return self._client

    def post(self, url: str, body: Any = None) -> requests.Response:
        """A signed request; without a body it reads (POST-as-GET)."""
        return self.network.post(url, body, new_nonce_url=self.client.directory["newNonce"])


_kept: dict[tuple[Any, ...], Connection] = {}
_keeping = Lock()


@contextmanager
def connected(account: dict[str, Any]) -> Iterator[Connection]:
    """The connection of an account, for oneself. Raises Refused for whatever goes wrong with it."""
    identity = tuple(account.values())
    with _keeping:
        found = _kept.get(identity) or _kept.setdefault(identity, Connection(account))
    with found.lock:
        try:
            yield found
        except messages.Error as error:
            raise _refused(error, found.network.last) from None
        except errors.ValidationError as error:
            raise Refused(str(error)) from None
        except (requests.RequestException, errors.Error, JoseError, ValueError) as error:
            raise Refused(f"{account['directory']}: {_first_line(error)}", "network") from None


def register(account: dict[str, Any], email: str, binding: dict[str, str] | None) -> str:
    """The URI of the account, which is made or brought up to date. `binding`: `id` and `key` (base64url) of an account
    that the server's operator knows of."""
    with connected({**account, "uri": ""}) as connection:
        more: dict[str, Any] = {"terms_of_service_agreed": True}
        if binding:
            directory = connection.client.directory
            public = connection.key.public_key()
            more["external_account_binding"] = messages.ExternalAccountBinding.from_data(
                account_public_key=public, kid=binding["id"], hmac_key=binding["key"], directory=directory
            )
        contact = (f"mailto:{email}",) if email else ()
        wanted = messages.NewRegistration(contact=contact, **more)
        connection.network.account = None
        try:
            return str(connection.client.new_account(wanted).uri)
        except errors.ConflictError as known:
            return _update(connection, str(known.location), contact)


def _update(connection: Connection, uri: str, contact: tuple[str, ...]) -> str:
    """An account of that key is there already."""
    connection.network.account = messages.RegistrationResource(body=messages.Registration(), uri=uri)
    connection.post(uri, messages.UpdateRegistration(contact=contact))
    return uri


def _refused(error: messages.Error, answer: requests.Response | None) -> Refused:
    kind = (error.code or error.typ or "").rpartition(":")[2]
    status = answer.status_code if answer is not None else 0
    details = [str(one.detail) for one in error.subproblems or () if one.detail]
    text = f"{status} {error.typ}: {error.detail}" + (f" ({'; '.join(details)})" if details else "")
    return Refused(text, kind, retry_after(answer), status)


def retry_after(answer: requests.Response | None) -> float:
    """Seconds that an answer asks to wait, 0 when it does not."""
    value = answer.headers.get("Retry-After", "") if answer is not None else ""
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return 0.0


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _whom_to_believe(account: dict[str, Any]) -> Any:
    """The library takes a file; what is in it is public."""
    if not account["is_checked"]:
        return False
    return _file_with(account["authorities"]) if account["authorities"] else True


@functools.cache
def _file_with(text: str) -> str:
    """In memory only: nothing is left when this program is killed."""
    file = os.memfd_create("authorities")
    os.write(file, text.encode())
    return f"/proc/self/fd/{file}"
