"""Whom Caddy runs as. By itself, because the policies' table asks for it at every start, Caddy or not."""

from __future__ import annotations

from skerry.engine.config import EngineConfig

_FIRST_USER = 65300
"""The user id of the first instance's Caddy. Debian reserves 65000 to 65533 and gives them to nobody."""


def user_of(config: EngineConfig) -> int:
    """The user id Caddy runs as."""
    return _FIRST_USER + config.index
