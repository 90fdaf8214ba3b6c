"""Who asks, as extension API servers are told: headers that they believe under the front proxy's certificate. Pure.

Source: client-go `transport.SetAuthProxyHeaders`, `apiserver/pkg/authentication/request/headerrequest`.
"""

from __future__ import annotations

import string

from skerry.engine.api.request import User

USER, GROUP, UID, EXTRA = "X-Remote-User", "X-Remote-Group", "X-Remote-Uid", "X-Remote-Extra-"
_TOKEN = frozenset((string.ascii_letters + string.digits + "!#$&'*+-.^_`|~").encode())
"""Bytes that may stand in a header's name, without "%", which escapes the others."""
_OURS = (USER.lower(), GROUP.lower(), UID.lower())
AGGREGATOR = User("system:kube-aggregator", ("system:masters",))
"""Who asks for what the API server itself must know: discovery, schemas."""


def is_identity(name: str) -> bool:
    """Whether a header (its name in lower case) says who asks: nobody but us may send it."""
    return name in _OURS or name.startswith(EXTRA.lower())


def identity_headers(user: User) -> list[tuple[str, str]]:
    """The headers that name a user."""
    headers = [(USER, user.name)]
    if user.uid:
        headers.append((UID, user.uid))
    headers += [(GROUP, group) for group in user.groups]
    return headers + [(f"{EXTRA}{_escaped(key)}", value) for key, values in user.extra.items() for value in values]


def _escaped(key: str) -> str:
    return "".join(chr(byte) if byte in _TOKEN else f"%{byte:02X}" for byte in key.encode())
