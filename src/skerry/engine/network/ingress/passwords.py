"""User names and password hashes for basic authentication, from a Secret as ingress-nginx reads it. Pure.

Caddy checks bcrypt. Other hashes of htpasswd (apr1, SHA-1, crypt) cannot be checked: they are refused by name, and let
nobody in.
"""

from __future__ import annotations

import base64
import binascii
import re

from skerry.engine.network.ingress.settings import BasicAuth
from skerry.kube.objects import Obj

_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


def accounts(auth: BasicAuth, secret: Obj) -> tuple[dict[str, str], list[str]]:
    """Hash by user, and the users whose hash cannot be checked."""
    data = {name: _decoded(text) for name, text in (secret.get("data") or {}).items()}
    pairs = data.items() if auth.is_map else _lines(data.get("auth", ""))
    known, refused = {}, []
    for user, hashed in pairs:
        if _BCRYPT.fullmatch(hashed.strip()):
            known[user] = hashed.strip()
        else:
            refused.append(user)
    return known, refused


def _lines(text: str) -> list[tuple[str, str]]:
    found = [line.partition(":") for line in text.splitlines() if ":" in line and not line.startswith("#")]
    return [(user.strip(), hashed.partition(":")[0]) for user, _, hashed in found]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
