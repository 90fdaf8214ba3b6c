"""A resolver as a machine has one, on a loopback port: answers from a table, or stays silent, as the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class Resolver(asyncio.DatagramProtocol):
    """`records` by name and kind, in zone-file notation; names without any do not exist."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.silent = False
        self.cut = False
        """Whether datagrams are too small for every answer."""
        self.old = False
        """Whether it was made before EDNS."""
        self.asked: list[str] = []
        self.asked_by_stream: list[str] = []
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        self.asked.append(query.question[0].name.to_text())
        if self.silent or self._transport is None:
            return
        reply = self._reply(query)
        if self.old and query.edns >= 0:
            reply = dns.message.make_response(query)
            reply.use_edns(False)
            reply.set_rcode(dns.rcode.FORMERR)
        if self.cut:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
        self._transport.sendto(reply.to_wire(), client)

    async def by_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        query = dns.message.from_wire(await reader.readexactly(length))
        self.asked_by_stream.append(query.question[0].name.to_text())
        writer.write(self._reply(query).to_wire(prepend_length=True))
        await writer.drain()
        writer.close()

    def _reply(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        reply = dns.message.make_response(query, recursion_available=True)
        found = self.records.get((question.name.to_text(), kind))
        if found is not None:
            reply.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, *found))
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
            reply.authority.append(dns.rrset.from_text("example.org.", 300, "IN", "SOA", "a. b. 1 2 3 4 60"))
        return reply


@asynccontextmanager
async def resolver() -> AsyncIterator[Resolver]:
    """One that listens on the same port for datagrams and streams."""
    made = Resolver()
    while True:
        streams = await asyncio.start_server(made.by_stream, "127.0.0.1", 0)
        made.port = streams.sockets[0].getsockname()[1]
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: made, local_addr=("127.0.0.1", made.port)
            )
            break
        except OSError:  # free for streams only: another one
            streams.close()
    try:
        yield made
    finally:
        transport.close()
        streams.close()
        await streams.wait_closed()
