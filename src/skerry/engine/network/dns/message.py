"""DNS messages: reads what clients send, writes what they get. The wire format is dnspython's (RFC 1035, 6891).

Importing this costs some 6 MB and 80 ms, so nobody does before the first question comes (`resolver`). The objects are
dnspython's; `zone.Record` becomes one of them here. Answers for datagrams are cut to what the client takes, with the
flag that sends it to TCP.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.SRV import SRV

from skerry.engine.network.dns.zone import Found, Record

if TYPE_CHECKING:
    from dns.message import Message
    from dns.rdata import Rdata
    from dns.rrset import RRset

TTL = 5
"""Seconds that clients may keep a record of the cluster: as long as CoreDNS says, and as long as "no such name"."""
LARGEST_DATAGRAM = 4096
PAYLOAD = 1232
"""Bytes we take in a datagram, and assume of resolvers: what passes everywhere in one piece."""
_SMALLEST = 512
_LARGEST_STREAM = 65535
_SMALLEST_RECORD = 12  # bytes, without its data
_HEADER = 12
_SERIAL, _REFRESH, _RETRY, _EXPIRE = 1, 7200, 1800, 86400
_IN = dns.rdataclass.IN
_NOT_ANSWERED = {dns.rdatatype.AXFR, dns.rdatatype.IXFR, dns.rdatatype.MAILA, dns.rdatatype.MAILB}


class Refused(Exception):
    """A query that gets no answer from the data; `reply` says why, None when it is better not to answer at all."""

    def __init__(self, reply: bytes | None) -> None:
        super().__init__()
        self.reply = reply


def read_query(data: bytes) -> Message:
    """One question of class IN. Raises Refused."""
    if len(data) < _HEADER or data[2] & 0x80:
        raise Refused(None)  # answering answers would be answered
    try:
        query = dns.message.from_wire(data, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        raise Refused(_bare(data, dns.rcode.FORMERR)) from None
    if query.opcode() != dns.opcode.QUERY:
        raise Refused(_bare(data, dns.rcode.NOTIMP))
    if len(query.question) != 1:
        raise Refused(_bare(data, dns.rcode.FORMERR))
    if query.edns > 0:
        raise Refused(_other_version(query))
    question = query.question[0]
    if question.rdclass != _IN or question.rdtype in _NOT_ANSWERED:
        raise Refused(reply_to(query, dns.rcode.REFUSED).to_wire())
    return query


def _bare(data: bytes, code: dns.rcode.Rcode) -> bytes:
    """A header alone: what the query had behind it was not understood."""
    flags = 0x8000 | (int.from_bytes(data[2:4], "big") & 0x7900) | code
    return data[:2] + flags.to_bytes(2, "big") + bytes(8)


def _other_version(query: Message) -> bytes:
    query.use_edns(0, payload=query.payload)
    return reply_to(query, dns.rcode.BADVERS).to_wire()


def labels_of(name: dns.name.Name) -> tuple[str, ...]:
    """A name as lower-case text labels, without the root."""
    return tuple(label.decode("latin-1").lower() for label in name.labels if label)


def reply_to(query: Message, code: dns.rcode.Rcode = dns.rcode.NOERROR) -> Message:
    """A reply without records."""
    reply = dns.message.make_response(query, recursion_available=True, our_payload=PAYLOAD, pad=0)
    reply.set_rcode(code)
    return reply


def failure(query: Message) -> Message:
    """SERVFAIL: ask again later, or somebody else."""
    return reply_to(query, dns.rcode.SERVFAIL)


def reply_with(query: Message, found: Found, authority: str) -> Message:
    """What the zone `authority` says, with its SOA when there is nothing."""
    reply = reply_to(query, dns.rcode.NOERROR if found.exists else dns.rcode.NXDOMAIN)
    reply.flags |= dns.flags.AA
    reply.answer.extend(rrsets(found.records))
    reply.additional.extend(rrsets(found.more))
    if not found.records:
        reply.authority.append(soa(authority))
    return reply


@lru_cache(maxsize=64)
def soa(zone: str) -> RRset:
    """The start of authority of a zone of ours, shared by all replies; its last number is how long "no such name" may
    be kept."""
    name = dns.name.from_text(zone)
    mailbox = dns.name.from_text("hostmaster", name)
    server = dns.name.from_text("ns.dns", name)
    data = SOA(_IN, dns.rdatatype.SOA, server, mailbox, _SERIAL, _REFRESH, _RETRY, _EXPIRE, TTL)
    return dns.rrset.from_rdata(name, TTL, data)


def rrsets(records: Iterable[Record]) -> list[RRset]:
    """Records in sets of the same name and kind, in order of appearance."""
    sets: dict[tuple[str, str], RRset] = {}
    for record in records:
        data = _rdata(record)
        one = sets.get(record[:2])
        if one is None:
            name = dns.name.from_text(record.name)
            sets[record[:2]] = dns.rrset.from_rdata(name, TTL, data)
        else:
            one.add(data, TTL)
    return list(sets.values())


def _rdata(record: Record) -> Rdata:
    match record.kind:
        case "A":
            return A(_IN, dns.rdatatype.A, record.value)
        case "AAAA":
            return AAAA(_IN, dns.rdatatype.AAAA, record.value)
        case "TXT":
            return TXT(_IN, dns.rdatatype.TXT, [record.value])
        case "SRV":
            priority, weight, port, target = record.value.split(" ")
            name = dns.name.from_text(target)
            return SRV(_IN, dns.rdatatype.SRV, int(priority), int(weight), int(port), name)
        case "CNAME":
            return CNAME(_IN, dns.rdatatype.CNAME, dns.name.from_text(record.value))
        case "PTR":
            return PTR(_IN, dns.rdatatype.PTR, dns.name.from_text(record.value))
        case "NS":
            return NS(_IN, dns.rdatatype.NS, dns.name.from_text(record.value))
    raise ValueError(record.kind)


def render(reply: Message, query: Message, *, datagram: bool) -> bytes:
    """The reply as bytes; records of a set in an order of their own each time, which spreads clients over endpoints."""
    takes = _LARGEST_STREAM
    if datagram:
        takes = max(_SMALLEST, min(query.payload, LARGEST_DATAGRAM)) if query.edns >= 0 else _SMALLEST
    with contextlib.suppress(dns.exception.TooBig):
        return reply.to_wire(max_size=takes)
    shorter = _same_without_records(reply)
    shorter.answer, shorter.authority = reply.answer, reply.authority
    try:
        return shorter.to_wire(max_size=takes)
    except dns.exception.TooBig:
        return _cut(reply, takes)


def _cut(reply: Message, takes: int) -> bytes:
    """As many answers as fit: there are resolvers that never come back by TCP and live by these."""
    records = [(one, data) for one in reply.answer for data in random.sample(list(one), len(one))]
    fits, too_many = 0, min(len(records), takes // _SMALLEST_RECORD + 1) + 1
    wire = _with_first(reply, records, 0).to_wire()
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        try:
            wire = _with_first(reply, records, middle).to_wire(max_size=takes)
            fits = middle
        except dns.exception.TooBig:
            too_many = middle
    return wire


def _with_first(reply: Message, records: Sequence[tuple[RRset, Rdata]], count: int) -> Message:
    cut = _same_without_records(reply)
    cut.flags |= dns.flags.TC
    sets: dict[dns.name.Name, RRset] = {}
    for one, data in records[:count]:
        if one.name not in sets:
            sets[one.name] = dns.rrset.RRset(one.name, one.rdclass, one.rdtype, one.covers)
            cut.answer.append(sets[one.name])
        sets[one.name].add(data, one.ttl)
    return cut


def _same_without_records(reply: Message) -> Message:
    same = dns.message.QueryMessage(id=reply.id)
    same.flags, same.question, same.opt = reply.flags, reply.question, reply.opt
    return same


def has_several(reply: Message) -> bool:
    """Whether rendering it again can give another order."""
    return any(len(one) > 1 for one in reply.answer)


def least_ttl(sections: Sequence[Sequence[RRset]]) -> int | None:
    """The shortest time in seconds that any record may be kept; None without records. A SOA counts with the time it
    gives for "no such name" (RFC 2308)."""
    times = []
    for one in (one for section in sections for one in section):
        times.append(one.ttl)
        times += [data.minimum for data in one if isinstance(data, SOA)]
    return min(times, default=None)
