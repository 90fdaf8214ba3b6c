"""The account of an issuer at its ACME server: its key, where it is registered, and how the server is reached.

Source of the behaviour: cert-manager's `pkg/issuer/acme/setup.go`: an account is registered again when its key, its
e-mail address or the server changes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from skerry.engine.certificates.helper.errors import Refused
from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.room import Room, encoded, text_of
from skerry.kube.objects import Obj
from skerry.kube.resources import SECRETS


@dataclass(frozen=True, slots=True)
class Account:
    """What every call to the ACME server needs. `key`: PEM; `uri`: "" before it is registered."""

    directory: str
    key: str
    uri: str
    authorities: str
    """Whom to believe that the server is the server, PEM; "" for the machine's own list."""
    is_checked: bool
    """Whether the server's certificate is checked at all."""

    def plain(self) -> dict[str, Any]:
        """For the helper."""
        return asdict(self)


async def account_of(room: Room, issuer: Obj, *, is_made: bool = False) -> Account:
    """The account as it is. `is_made`: make a key if there is none. Raises LookupError when the key is not there."""
    acme = issuer["spec"]["acme"]
    reference = acme["privateKeySecretRef"]
    secret = await room.secret_of_issuer(issuer, reference["name"])
    key = text_of(secret, reference.get("key") or "tls.key") if secret is not None else ""
    if not key and is_made and not acme.get("disableAccountKeyGeneration"):
        key = await _make_key(room, issuer, reference, secret)
    if not key:
        raise LookupError(f'the account\'s private key is not in secret "{reference["name"]}"')
    registered = (issuer.get("status") or {}).get("acme") or {}
    uri = registered.get("uri", "") if registered.get("lastPrivateKeyHash") == _digest(acme, key) else ""
    return Account(acme["server"], key, uri, _authorities(acme), not acme.get("skipTLSVerify"))


async def register(room: Room, issuer: Obj, account: Account) -> dict[str, str]:
    """What `status.acme` says of the account. Asks the server only when something changed. Raises Refused,
    LookupError."""
    acme = issuer["spec"]["acme"]
    email = acme.get("email") or ""
    registered = (issuer.get("status") or {}).get("acme") or {}
    if account.uri and registered.get("lastRegisteredEmail", "") == email:
        return dict(registered)
    binding = await _binding(room, issuer, acme.get("externalAccountBinding"))
    uri = await room.helper.call("register", account=account.plain(), email=email, binding=binding)
    return {"uri": uri, "lastRegisteredEmail": email, "lastPrivateKeyHash": _digest(acme, account.key)}


async def _make_key(room: Room, issuer: Obj, reference: Obj, secret: Obj | None) -> str:
    """ECDSA: every ACME server takes it, and it is made at once."""
    key: str = await room.helper.call("new_key", algorithm="ECDSA", size=256, encoding="PKCS8")
    data = {reference.get("key") or "tls.key": encoded(key)}
    if secret is not None:
        await room.client.update(SECRETS, {**secret, "data": {**(secret.get("data") or {}), **data}})
        return key
    namespace = issuer["metadata"].get("namespace") or names.CLUSTER_NAMESPACE
    metadata = {"name": reference["name"], "namespace": namespace}
    await room.client.create(SECRETS, {"metadata": metadata, "type": "Opaque", "data": data}, namespace)
    return key


async def _binding(room: Room, issuer: Obj, wanted: Obj | None) -> dict[str, str] | None:
    if not wanted:
        return None
    reference = wanted["keySecretRef"]
    secret = await room.secret_of_issuer(issuer, reference["name"])
    key = text_of(secret, reference.get("key") or "") if secret is not None else ""
    if not key:
        raise LookupError(f'the key of the external account is not in secret "{reference["name"]}"')
    return {"id": wanted["keyID"], "key": key.strip()}


def _authorities(acme: Obj) -> str:
    try:
        return base64.b64decode(acme.get("caBundle") or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refused("spec.acme.caBundle is not base64 of PEM") from None


def _digest(acme: Obj, key: str) -> str:
    """Of the key and the server it is registered at."""
    return hashlib.sha256(f"{acme['server']}\n{key}".encode()).hexdigest()
