"""Tokens: 256 random bits each. Who holds one is believed; what is kept here is the hash. Pure but for the dice."""

from __future__ import annotations

import hashlib
import secrets

_BYTES = 32


def new_token(prefix: str) -> str:
    """One that nobody guesses. The prefix tells people (and scanners for leaked secrets) what it is."""
    return f"{prefix}_{secrets.token_urlsafe(_BYTES)}"


def digest(token: str) -> str:
    """What is kept: SHA-256 in hexadecimal. Nothing slower is needed, as tokens are not guessable like passwords."""
    return hashlib.sha256(token.encode()).hexdigest()
