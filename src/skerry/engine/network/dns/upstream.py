"""Asks the machine's resolvers what is not the cluster's, and keeps what they say as long as they allow.

The list of resolvers is `/etc/resolv.conf`, read again when it changes. Addresses of this instance are left out: they
would be asked by themselves. Equal questions on their way are asked once, so that a resolver that asks us back waits
for its own answer and a loop ends by itself. A resolver that stays silent is left alone for some seconds: a machine
without a network answers SERVFAIL at once. Each question has a port and an id of its own (RFC 5452).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from skerry.engine.network.dns.message import PAYLOAD, least_ttl

if TYPE_CHECKING:
    from dns.message import Message
    from dns.rrset import RRset

log = logging.getLogger(__name__)

_PORT = 53
_PATIENCE = 1.5  # seconds for one resolver, once
_ROUNDS = 2
_SILENCES = 3  # questions in a row without an answer
_LEFT_ALONE = 5.0  # seconds
_LONGEST_KEPT, _LONGEST_DENIAL_KEPT = 30.0, 30.0  # seconds, as kubeadm has CoreDNS do
_MOST_KEPT = 4096
_MOST_ASKED = 1000  # questions on their way at one time

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Key = tuple[str, int, bool, bool]


class _Kept(NamedTuple):
    stored: float
    until: float
    wire: bytes


class Address(NamedTuple):
    """Where a resolver listens."""

    host: str
    port: int = _PORT


class Upstream:
    """The machine's resolvers. `own`: ranges whose addresses are never asked."""

    def __init__(
        self,
        clock: Callable[[], float],
        own: Sequence[Network],
        resolv_conf: Path,
        port: int = _PORT,
    ) -> None:
        self._clock = clock
        self._own = own
        self._resolv_conf = resolv_conf
        self._port = port
        self._read: tuple[int, int] | None = None
        self._servers: tuple[Address, ...] = ()
        self._silent: dict[Address, int] = {}
        self._left_alone_until: dict[Address, float] = {}
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._asked: dict[_Key, asyncio.Task[Message | None]] = {}

    async def ask(self, query: Message) -> Message | None:
        """The answer to the query's question, its times shortened by how long it was kept; None when nobody answers."""
        question = query.question[0]
        wants_signatures = bool(query.ednsflags & dns.flags.DO) if query.edns >= 0 else False
        unchecked = bool(query.flags & dns.flags.CD)
        key = (question.name.to_text().lower(), int(question.rdtype), wants_signatures, unchecked)
        if (kept := self._known(key)) is not None:
            return kept
        task = self._asked.get(key)
        if task is None:
            if len(self._asked) >= _MOST_ASKED:
                return None
            ours = dns.message.make_query(
                question.name, question.rdtype, use_edns=0, payload=PAYLOAD, want_dnssec=wants_signatures
            )
            ours.flags |= dns.flags.CD if unchecked else 0
            task = self._asked[key] = asyncio.create_task(self._ask_all(ours), name=f"DNS question {key[0]}")
            task.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in (asked := list(self._asked.values())):
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    def _known(self, key: _Key) -> Message | None:
        kept, now = self._kept.get(key), self._clock()
        if kept is None or kept.until <= now:
            return None
        message = dns.message.from_wire(kept.wire)
        for one in (*message.answer, *message.authority, *message.additional):
            one.ttl = max(0, one.ttl - int(now - kept.stored))
        return message

    def _answered(self, key: _Key, task: asyncio.Task[Message | None]) -> None:
        self._asked.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        answer = task.result()
        seconds = time_to_keep(answer) if answer is not None else 0.0
        if answer is None or seconds <= 0:
            return
        now = self._clock()
        self._kept[key] = _Kept(now, now + seconds, answer.to_wire(max_size=65535))
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)

    async def _ask_all(self, query: Message) -> Message | None:
        for _ in range(_ROUNDS):
            for server in self._servers_to_ask():
                answer = await self._ask_one(server, query)
                self._note(server, answer is not None)
                if answer is not None and answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                    return answer
        return None

    def _servers_to_ask(self) -> list[Address]:
        now = self._clock()
        return [one for one in self._current() if self._left_alone_until.get(one, 0.0) <= now]

    def _note(self, server: Address, answered: bool) -> None:
        self._silent[server] = 0 if answered else self._silent.get(server, 0) + 1
        if self._silent[server] >= _SILENCES:
            self._left_alone_until[server] = self._clock() + _LEFT_ALONE
            self._silent[server] = _SILENCES - 1  # one more silence is enough next time
            log.info("the resolver %s does not answer: left alone for %.0f s", server.host, _LEFT_ALONE)

    def _current(self) -> tuple[Address, ...]:
        """The resolvers the machine has now."""
        try:
            status = self._resolv_conf.stat()
            if (read := (status.st_mtime_ns, status.st_ino)) != self._read:
                hosts = nameservers(self._resolv_conf.read_text(), self._own)
                self._servers = tuple(Address(host, self._port) for host in hosts)
                self._read = read
        except OSError:
            self._servers, self._read = (), None
        return self._servers

    async def _ask_one(self, server: Address, query: Message) -> Message | None:
        """Ask once; over TCP as well if the answer was cut, without EDNS of those that do not know it."""
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await _by_datagram(server, query)
                if answer.rcode() == dns.rcode.FORMERR:
                    query = dns.message.make_query(query.question[0].name, query.question[0].rdtype)
                    answer = await _by_datagram(server, query)
                return await _by_stream(server, query) if answer.flags & dns.flags.TC else answer
        except (OSError, TimeoutError, EOFError, dns.exception.DNSException, ValueError):
            return None


def nameservers(resolv_conf: str, own: Sequence[Network]) -> list[str]:
    """The addresses a resolv.conf names, without those in our own ranges."""
    found = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and not _is_within(words[1], own):
            found.append(words[1])
    return found


def _is_within(address: str, own: Sequence[Network]) -> bool:
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True  # not an address: nobody to ask
    return any(number in network for network in own)


def time_to_keep(answer: Message) -> float:
    """Seconds, by its shortest time; 0 for what is no final answer. A denial without SOA is not kept (RFC 2308)."""
    positive = bool(answer.answer)
    sections: list[list[RRset]] = [answer.answer] if positive else [answer.authority]
    least = least_ttl(sections)
    if least is None:
        return 0.0
    return min(float(least), _LONGEST_KEPT if positive else _LONGEST_DENIAL_KEPT)


class _Exchange(asyncio.DatagramProtocol):
    """One question by datagram; whatever does not fit the question is not heard."""

    def __init__(self, query: Message) -> None:
        self._query = query
        self.answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.DatagramTransport, transport).sendto(self._query.to_wire())

    def datagram_received(self, data: bytes, _from: object) -> None:
        try:
            answer = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
        except (dns.exception.DNSException, ValueError):
            return
        if self._query.is_response(answer) and not self.answer.done():
            self.answer.set_result(answer)

    def error_received(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def _by_datagram(server: Address, query: Message) -> Message:
    loop = asyncio.get_running_loop()
    transport, exchange = await loop.create_datagram_endpoint(lambda: _Exchange(query), remote_addr=server)
    try:
        return await exchange.answer
    finally:
        transport.close()


async def _by_stream(server: Address, query: Message) -> Message:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(query.to_wire(prepend_length=True))
        length = int.from_bytes(await reader.readexactly(2), "big")
        answer = dns.message.from_wire(await reader.readexactly(length), ignore_trailing=True)
    finally:
        writer.close()
    if not query.is_response(answer):
        raise ValueError("an answer to another question")
    return answer
