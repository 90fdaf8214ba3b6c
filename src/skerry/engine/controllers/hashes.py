"""Short names for contents: the hash in the name of a ReplicaSet or a ControllerRevision.

It need not be Kubernetes' own, only stable and made of its letters (no vowels, so no words come out).
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LENGTH = 10


def short_hash(content: Any, collisions: int) -> str:
    """Ten characters for JSON content, the order of its keys aside; others for each collision there has been."""
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS) + str(collisions or "").encode()
    digest = hashlib.blake2b(text, digest_size=_LENGTH).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest)
