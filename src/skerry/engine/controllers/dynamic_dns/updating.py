"""What is asked of a DNS server: one atomic update with its prerequisites, or the records there are.

`replace`, `add` and `remove` are for names that are ours alone (ACME's TXT records). Where somebody else may have been
before, an `Update` says what the zone must look like, and the server checks and changes in one step: between a look
and a change nobody can slip in. Every function raises `failures.DnsError`. Source: RFC 2136.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.server import UpdateServer
from skerry.engine.controllers.dynamic_dns.session import Session, open_session

if TYPE_CHECKING:
    from dns.message import Message
    from dns.name import Name
    from dns.update import UpdateMessage

_TEXT_CHUNK = 255
_NAMES = frozenset({"CNAME", "NS", "PTR"})
"""Types whose value is a name."""


@dataclass(frozen=True, slots=True)
class RecordSet:
    """All records of a type ("A", "TXT") at a name. Values as people write them; texts without quotes."""

    name: str
    type: str
    values: Sequence[str] = ()
    ttl: int = 0
    """Seconds; no part of a prerequisite."""


@dataclass(frozen=True, slots=True)
class Update:
    """One step. Prerequisites first, then deletions, then additions; all or nothing."""

    unused: Sequence[str] = ()
    """Names that must not have any record."""
    absent: Sequence[RecordSet] = ()
    """Sets that must not exist, whatever their values."""
    present: Sequence[RecordSet] = ()
    """Sets that must be exactly like this."""
    delete: Sequence[RecordSet] = ()
    """Sets to be deleted as a whole, or the values given."""
    add: Sequence[RecordSet] = ()


async def replace(server: UpdateServer, record: RecordSet) -> None:
    """Make this the only set of its type at its name."""
    async with open_session(server) as session:
        await apply(session, Update(delete=[RecordSet(record.name, record.type)], add=[record]))


async def add(server: UpdateServer, record: RecordSet) -> None:
    """Add these values to those that are there."""
    async with open_session(server) as session:
        await apply(session, Update(add=[record]))


async def remove(server: UpdateServer, record: RecordSet) -> None:
    """Delete these values, or without values the whole set. Not being there is no error."""
    async with open_session(server) as session:
        await apply(session, Update(delete=[record]))


async def apply(session: Session, update: Update) -> None:
    """Have the server do it. Raises PrerequisiteFailed when the zone is not as supposed: nothing was changed then."""
    message = _message(session.server, update)
    answer = await session.exchange(message)
    if (refusal := session.refusal(answer, f"update of {_about(update)}")) is not None:
        raise refusal


async def values_of(session: Session, name: str, type_: str) -> Sequence[str]:
    """The values the server has at a name, [] when there are none. A wildcard of the zone answers for names that do
    not exist."""
    import dns.message
    import dns.rcode

    query = dns.message.make_query(_name(name), type_)
    query.flags = 0  # asked of the primary itself: no recursion
    answer = await session.exchange(query)
    if answer.rcode() == dns.rcode.NXDOMAIN:
        return []
    if (refusal := session.refusal(answer, f"question for {type_} of {name}")) is not None:
        raise refusal
    return _values(answer, _name(name), type_)


def _values(answer: Message, name: Name, type_: str) -> Sequence[str]:
    import dns.rdatatype
    import dns.rdtypes.ANY.TXT

    found = []
    for records in answer.answer:
        if records.name == name and records.rdtype == dns.rdatatype.from_text(type_):
            for one in records:
                is_text = isinstance(one, dns.rdtypes.ANY.TXT.TXT)
                found.append(b"".join(one.strings).decode(errors="replace") if is_text else one.to_text())
    return sorted(found)


def _message(server: UpdateServer, update: Update) -> UpdateMessage:
    import dns.exception
    import dns.update

    try:
        message = dns.update.UpdateMessage(_name(server.zone))
        for name in update.unused:
            message.absent(_name(name))
        for record in update.absent:
            message.absent(_name(record.name), record.type)
        for record in update.present:
            message.present(_name(record.name), record.type, *_texts(record))
        for record in update.delete:
            message.delete(_name(record.name), record.type, *_texts(record))
        for record in update.add:
            message.add(_name(record.name), record.ttl, record.type, *_texts(record))
    except (dns.exception.DNSException, ValueError) as error:
        raise DnsError("Invalid", f"update of {_about(update)}: {error}") from None
    return message


def _name(name: str) -> Name:
    import dns.exception
    import dns.name

    try:
        return dns.name.from_text(name)
    except dns.exception.DNSException as error:
        raise DnsError("Invalid", f"{name!r} is no DNS name: {error}") from None


def _texts(record: RecordSet) -> list[str]:
    """Values in the notation of zone files."""
    if record.type == "TXT":
        return [_quoted(value) for value in record.values]
    if record.type in _NAMES:
        return [f"{value.rstrip('.')}." for value in record.values]  # never below the zone by mistake
    return list(record.values)


def _quoted(text: str) -> str:
    """A text in strings of at most 255 octets, as a zone file has them."""
    octets = text.encode()
    chunks = [octets[at : at + _TEXT_CHUNK] for at in range(0, len(octets), _TEXT_CHUNK)] or [b""]
    return " ".join(f'"{"".join(_escaped(octet) for octet in chunk)}"' for chunk in chunks)


def _escaped(octet: int) -> str:
    is_plain = 0x20 <= octet < 0x7F and octet not in b'"\\'
    return chr(octet) if is_plain else f"\\{octet:03d}"


def _about(update: Update) -> str:
    for records in (update.add, update.delete, update.present, update.absent):
        if records:
            return records[0].name
    return "".join(update.unused[:1])
