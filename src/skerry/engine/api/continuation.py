"""Continue tokens of chunked lists: where the next chunk starts, and at which revision.

Opaque to clients: URL-safe base64 of a small JSON array. Source of the semantics: `apiserver/pkg/storage/continue.go`.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import orjson

from skerry.kube.errors import BadRequest

LIFETIME = 300.0
"""Seconds a token is good for, as long as Kubernetes keeps old revisions by default (etcd's compaction interval)."""
INCONSISTENT = -1
"""Revision of a token that goes on at the newest state, given out when the token's own revision is gone."""


class Position(NamedTuple):
    """After which object (namespace, name) to go on, at which revision, and when that was the newest (seconds since the
    epoch)."""

    revision: int
    namespace: str
    name: str
    since: float = 0.0

    def has_expired(self, now: float) -> bool:
        """Whether its revision is too old; that of an inconsistent token never is."""
        return self.revision > 0 and bool(self.name) and now - self.since > LIFETIME


def encode(position: Position) -> str:
    """The token of a position."""
    return base64.urlsafe_b64encode(orjson.dumps(tuple(position))).decode().rstrip("=")


def decode(token: str) -> Position:
    """The position of a token. Raises BadRequest for what `encode` never made."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        revision, namespace, name, since = orjson.loads(raw)
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadRequest("continue key is not valid") from error
    if (
        type(revision) is not int
        or revision < INCONSISTENT
        or not (isinstance(namespace, str) and isinstance(name, str) and isinstance(since, (int, float)))
    ):
        raise BadRequest("continue key is not valid")
    return Position(revision, namespace, name, since)
