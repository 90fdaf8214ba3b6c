"""How many streams one person has at the gateway, and no more than that: each costs a connection to the API and a
question about rights every few seconds, and nobody may take them from everybody else.

A stream is what may last: a WebSocket or another upgrade, a watch, and what a pod or service says for as long as it
likes (`log`, `proxy`). Everything else ends by itself, and the API server shares its own seats out. Counted by person,
in this process: sessions, and the programs that somebody made tokens for, count together.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from skerry.kube.errors import TooManyRequests
from skerry.platform.base.at_a_time import AtATime
from skerry.platform.identity.gateway.asking import Asked
from skerry.platform.identity.gateway.attributes import attributes_of, is_watch

_LASTING = frozenset({"log", "proxy"})
"""Subresources whose answers need no end."""


class Streams:
    """Of all who are signed in. `most`: of one person."""

    def __init__(self, most: int) -> None:
        self._places = AtATime(most, _too_many)

    def held(self, asked: Asked) -> AbstractContextManager[None]:
        """While it is answered: a place, if it is a stream. Entering raises TooManyRequests."""
        return self._places.one_more(asked.person.made_by or asked.person.user) if lasts(asked) else nullcontext()


def lasts(asked: Asked) -> bool:
    """Whether it may go on for as long as the client likes."""
    if asked.upgrade:
        return True
    attributes = attributes_of(asked.method, asked.target)
    return is_watch(attributes) or attributes.get("resourceAttributes", {}).get("subresource") in _LASTING


def _too_many(who: str, most: int) -> TooManyRequests:
    return TooManyRequests(
        f"{who}, programs with tokens of theirs included, has {most} streams open through the gateway, the most one "
        "person may have: end some (watches, `kubectl logs -f`, exec, port-forward, what goes through proxies) and try "
        "again, or have an operator allow more (`skerry up --streams-per-person`)"
    )
