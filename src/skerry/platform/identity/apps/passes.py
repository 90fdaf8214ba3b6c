"""What browsers carry to an app's host once their person has signed in, and the codes that they get it with.

A pass is good for one Ingress, and for others of its namespace that name the same host, whose cookie it is; and as long
as the session that it came from. Whoever runs the app sees it, and can do nothing with it that the app could not. Kept
in memory: after a restart a browser is sent round once more, unseen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, MutableMapping
from datetime import datetime, timedelta

from skerry.kube.clock import Clock
from skerry.kube.records import record
from skerry.platform.identity.sessions.tokens import digest, new_token

_CODE_LIVES, _PASS_LIVES = timedelta(seconds=60), timedelta(hours=24)
_MOST_CODES, _MOST_PASSES = 10_000, 100_000


@record
class Pass:
    """Of one session, for one Ingress."""

    ingress: str
    """namespace/name."""
    host: str
    """As the browser was there: with its port, unless that is 443."""
    session: str
    path: str = "/"
    """Where the person wanted to go: of codes."""


class Passes:
    """All of them, by the hash of what browsers have."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: OrderedDict[str, tuple[Pass, datetime]] = OrderedDict()
        self._passes: OrderedDict[str, tuple[Pass, datetime]] = OrderedDict()

    def code_for(self, wanted: Pass) -> str:
        """Good once, for a minute."""
        return self._kept(self._codes, wanted, "skc", _CODE_LIVES, _MOST_CODES)

    def redeem(self, code: str, host: str) -> tuple[Pass, str] | None:
        """The pass for a code, and what the browser gets; None: the code is over, used, or of another host."""
        known, until = self._codes.pop(digest(code), (None, None))
        if known is None or until is None or until <= self._clock.steady() or known.host != host:
            return None
        return known, self._kept(self._passes, known, "ska", _PASS_LIVES, _MOST_PASSES)

    def of(self, token: str, ingress: str, hosts: Container[str]) -> Pass | None:
        """What a browser's token stands for, at this Ingress. `hosts`: those that it names."""
        known, until = self._passes.get(digest(token), (None, None))
        if known is None or until is None or until <= self._clock.steady():
            return None
        is_beside = known.host in hosts and _namespace(known.ingress) == _namespace(ingress)
        return known if known.ingress == ingress or is_beside else None

    def end(self, token: str) -> None:
        """It is not good any more. Harmless twice."""
        self._passes.pop(digest(token), None)

    def _kept(
        self,
        where: MutableMapping[str, tuple[Pass, datetime]],
        wanted: Pass,
        kind: str,
        lives: timedelta,
        most: int,
    ) -> str:
        token = new_token(kind)
        where[digest(token)] = (wanted, self._clock.steady() + lives)
        while len(where) > most:
            del where[next(iter(where))]
        return token


def _namespace(key: str) -> str:
    return key.partition("/")[0]
