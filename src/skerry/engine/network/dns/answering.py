"""The way from the bytes of a question to those of its answer: known answers at once, all others by the resolver.

The resolver and with it the message handling (6 MB, 80 ms) come with the first question. A change of an object ends
what was answered about its Service. Neighbours: `answers`, `resolver`; `server` asks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING

from skerry.engine.network.dns.answers import GENERAL, AnswerCache
from skerry.engine.network.dns.zone import Zone

if TYPE_CHECKING:
    from pathlib import Path

    from skerry.engine.network.dns.resolver import Resolver
    from skerry.engine.network.dns.upstream import Network

log = logging.getLogger(__name__)


class Answering:
    """`own`: the address ranges of this instance. `resolv_conf`: names the machine's resolvers."""

    def __init__(self, zone: Zone, own: Sequence[Network], resolv_conf: Path, upstream_port: int = 53) -> None:
        self._zone = zone
        self._own = own
        self._resolv_conf = resolv_conf
        self._upstream_port = upstream_port
        self._resolver: Resolver | None = None
        self._making = asyncio.Lock()
        self._caches = {True: AnswerCache(monotonic), False: AnswerCache(monotonic)}
        self._changes = 0

    def known(self, question: bytes, *, datagram: bool) -> bytes | None:
        """The answer, if these very bytes were answered before and nothing has changed since."""
        return self._caches[datagram].get(question)

    def changed(self, topic: str) -> None:
        """An object of that topic ("namespace/service") is another one now."""
        self._changes += 1
        for cache in self._caches.values():
            cache.end(topic)
            cache.end(GENERAL)

    async def answer(self, question: bytes, *, datagram: bool) -> bytes | None:
        """The answer; None for what deserves none."""
        resolver = self._resolver or await self._make_resolver()
        before = self._changes
        answer = await resolver.resolve(question, datagram=datagram)
        if answer is None:
            return None
        if answer.seconds and before == self._changes:
            self._caches[datagram].put(question, answer.forms, answer.topic, answer.seconds)
        return answer.forms[0]

    async def close(self) -> None:
        """Give up questions on their way."""
        if self._resolver is not None:
            await self._resolver.close()

    async def _make_resolver(self) -> Resolver:
        """Imported beside the event loop, which has others waiting for a tenth of a second; in a thread of its own,
        because those of the loop may all be busy for long."""
        async with self._making:
            if self._resolver is None:
                with ThreadPoolExecutor(1) as thread:
                    name = "skerry.engine.network.dns.resolver"
                    await asyncio.get_running_loop().run_in_executor(thread, import_module, name)
                from skerry.engine.network.dns.resolver import Resolver
                from skerry.engine.network.dns.upstream import Upstream

                upstream = Upstream(monotonic, self._own, self._resolv_conf, self._upstream_port)
                self._resolver = Resolver(self._zone, self._own, upstream)
        return self._resolver
