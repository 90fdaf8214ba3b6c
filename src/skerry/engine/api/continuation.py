"""Continue tokens of chunked lists: where the next chunk starts, and at which revision.

Opaque to clients: URL-safe base64 of a small JSON array. Source of the semantics: `apiserver/pkg/storage/continue.go`.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import orjson

from skerry.kube.errors import BadRequest

INCONSISTENT = -1
"""Revision of a token that goes on at the newest state, given out when the token's own revision is gone."""


class Position(NamedTuple):
    """After which object (namespace, name) to go on, at which revision."""

    revision: int
    namespace: str
    name: str


def encode(position: Position) -> str:
    """The token of a position."""
    return base64.urlsafe_b64encode(orjson.dumps(tuple(position))).decode().rstrip("=")


def decode(token: str) -> Position:
    """The position of a token. Raises BadRequest for what `encode` never made."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        revision, namespace, name = orjson.loads(raw)
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadRequest("continue key is not valid") from error
    if (
        type(revision) is not int
        or revision < INCONSISTENT
        or not (isinstance(namespace, str) and isinstance(name, str))
    ):
        raise BadRequest("continue key is not valid")
    return Position(revision, namespace, name)
