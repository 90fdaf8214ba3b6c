"""One TCP connection to a DNS server: signed messages go, answers come, refusals become `DnsError`s.

Messages follow each other: one at a time, so a batch costs one connection and no more of the server than one client
may. `dns` is imported at the first use: most instances never change a record. Sources: RFC 1035 4.2.2, RFC 2136 3,
RFC 8945 5.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from skerry.engine.controllers.dynamic_dns.failures import DnsError, PrerequisiteFailed, ServerTrouble
from skerry.engine.controllers.dynamic_dns.server import UpdateServer

if TYPE_CHECKING:
    from dns.message import Message
    from dns.tsig import Key

PATIENCE = 10.0
"""Seconds for the connection, and for each answer."""
_PREREQUISITES = frozenset({"YXDOMAIN", "YXRRSET", "NXRRSET", "NXDOMAIN"})
_REFUSALS = {
    "REFUSED": ("Refused", "refuses this: the key may not change the zone, or not this name"),
    "NOTAUTH": ("NotAuthoritative", "is not the primary of zone {zone}, or does not take the key for it"),
    "NOTZONE": ("NotInZone", "says that the name is outside of zone {zone}"),
    "SERVFAIL": ("ServerFailure", "failed (SERVFAIL): its log says why; often it cannot write the zone's file"),
    "NOTIMP": ("NotImplemented", "does not take dynamic updates (NOTIMP)"),
    "FORMERR": ("Invalid", "does not understand the message (FORMERR)"),
}


class Session:
    """An open connection. Not to be used by two tasks at once."""

    def __init__(self, server: UpdateServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self._reader = reader
        self._writer = writer
        self._key = _key_of(server)

    async def exchange(self, message: Message) -> Message:
        """Sign, send, and read the answer, whatever it says of the question. Raises DnsError for what is not an
        answer: silence, a refused key, a signature that is missing or wrong."""
        if self._key is not None:
            message.use_tsig(self._key)
        wire = message.to_wire()
        try:
            async with asyncio.timeout(PATIENCE):
                self._writer.write(struct.pack("!H", len(wire)) + wire)
                await self._writer.drain()
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
                answer = await self._reader.readexactly(length)
        except TimeoutError:
            raise ServerTrouble("TimedOut", f"DNS server {self.server} did not answer for {PATIENCE:.0f} s") from None
        except (OSError, asyncio.IncompleteReadError) as error:
            raise ServerTrouble("Unreachable", f"DNS server {self.server} ended the connection: {error}") from None
        return self._read(message, answer)

    def _read(self, message: Message, wire: bytes) -> Message:
        import dns.exception
        import dns.message
        import dns.rcode

        where = f"DNS server {self.server}"
        try:
            unchecked = dns.message.from_wire(wire, keyring=False)
            if self._key is None or not unchecked.had_tsig:
                answer = unchecked
            else:
                answer = dns.message.from_wire(wire, keyring=self._key, request_mac=message.mac)
        except dns.exception.DNSException as error:
            raise self._unreadable(error) from None
        if not message.is_response(answer):
            raise ServerTrouble("BadAnswer", f"{where} answered something else than was asked")
        if self._key is not None and not answer.had_tsig and answer.rcode() == dns.rcode.NOERROR:
            raise ServerTrouble("BadSignature", f"{where} did not sign its answer, although it was asked with a key")
        return answer

    def _unreadable(self, error: Exception) -> ServerTrouble:
        import dns.message
        import dns.tsig

        where = f"DNS server {self.server}"
        if isinstance(error, dns.tsig.PeerBadKey | dns.tsig.BadKey | dns.message.UnknownTSIGKey):
            return ServerTrouble("BadKey", f"{where} does not know the TSIG key {self._named()}")
        if isinstance(error, dns.tsig.PeerBadSignature | dns.tsig.BadSignature):
            return ServerTrouble("BadSignature", f"{where} has another secret for the TSIG key {self._named()}")
        if isinstance(error, dns.tsig.PeerBadTime | dns.tsig.BadTime):
            return ServerTrouble("BadTime", f"the clocks of {where} and of this machine differ too much")
        return ServerTrouble("BadAnswer", f"{where} answered what is no answer: {type(error).__name__}")

    def _named(self) -> str:
        key = self.server.key
        return f"{key.name} ({key.algorithm})" if key is not None else "it signed with"

    def refusal(self, answer: Message, about: str) -> DnsError | None:
        """What an answer to `about` ("update of web.example.org") says, None when it was done."""
        import dns.rcode

        code = dns.rcode.to_text(answer.rcode())
        if code == "NOERROR":
            return None
        if code in _PREREQUISITES:
            return PrerequisiteFailed(code, f"{about}: the zone is not as supposed ({code})")
        reason, words = _REFUSALS.get(code, ("ServerFailure", "answered " + code))
        return DnsError(reason, f"{about}: DNS server {self.server} {words.format(zone=self.server.zone)}")


@asynccontextmanager
async def open_session(server: UpdateServer) -> AsyncIterator[Session]:
    """Connect, and close at the end. Raises ServerTrouble "Unreachable" or "TimedOut"."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(server.host, server.port)
    except TimeoutError:
        raise ServerTrouble("TimedOut", f"no connection to DNS server {server} within {PATIENCE:.0f} s") from None
    except OSError as error:
        raise ServerTrouble("Unreachable", f"no connection to DNS server {server}: {error}") from None
    try:
        yield Session(server, reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _key_of(server: UpdateServer) -> Key | None:
    if server.key is None:
        return None
    import dns.exception
    import dns.tsig

    try:
        return dns.tsig.Key(server.key.name, server.key.secret.strip(), f"{server.key.wire_algorithm}.")
    except dns.exception.DNSException as error:
        raise DnsError("Invalid", f"TSIG key name {server.key.name!r}: {error}") from None
