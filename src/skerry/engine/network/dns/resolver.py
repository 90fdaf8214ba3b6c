"""Decides who knows the answer to a question: the cluster's own names, or the machine's resolvers.

Neighbours: `zone` and `upstream` know, `message` writes it down, `answering` keeps it. Importing this imports the whole
message handling.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from dns.message import Message
from dns.rrset import RRset

from skerry.engine.network.dns import message
from skerry.engine.network.dns.answers import FOREIGN, GENERAL
from skerry.engine.network.dns.upstream import Network, Upstream
from skerry.engine.network.dns.zone import Found, Record, Zone

_MOST_FORMS = 8
_FORMS_BYTES = 8192  # of all forms of one answer together, about
_LONGEST_CHAIN = 8
_FORWARDED_SECONDS = 1.0  # the times in others' answers run down: bytes are made anew every second
LOCALHOST = "localhost"
_LASTING = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


class Answer(NamedTuple):
    """What to send, in several orders if there are, and for how many seconds it holds unless its topic changes."""

    forms: list[bytes]
    topic: str = GENERAL
    seconds: float = 0.0


class Resolver:
    """`own`: the ranges of this instance, whose reverse names nobody else is asked for and whose addresses nobody else
    may name."""

    def __init__(self, zone: Zone, own: Sequence[Network], upstream: Upstream) -> None:
        self._zone = zone
        self._domain = tuple(zone.domain.split("."))
        self._own = own
        self._upstream = upstream

    async def close(self) -> None:
        """Give up questions on their way."""
        await self._upstream.close()

    async def resolve(self, data: bytes, *, datagram: bool) -> Answer | None:
        """The answer to the bytes of a query, None if it deserves none."""
        try:
            query = message.read_query(data)
        except message.Refused as refusal:
            return Answer([refusal.reply]) if refusal.reply is not None else None
        reply, topic = await self._reply(query)
        forms = [message.render(reply, query, datagram=datagram)]
        if message.has_several(reply):
            more = min(_MOST_FORMS, _FORMS_BYTES // len(forms[0])) - 1
            forms += [message.render(reply, query, datagram=datagram) for _ in range(more)]
        seconds = _FORWARDED_SECONDS if topic == FOREIGN else inf
        return Answer(forms, topic, seconds if reply.rcode() in _LASTING else 0.0)

    async def _reply(self, query: Message) -> tuple[Message, str]:
        """The reply, and the topic it belongs to."""
        question = query.question[0]
        labels, kind = message.labels_of(question.name), dns.rdatatype.to_text(question.rdtype)
        if self._is_ours(labels):
            return await self._of_cluster(query, labels[: -len(self._domain)], kind)
        if labels and labels[-1] == LOCALHOST:
            return message.reply_with(query, of_localhost(labels, kind), LOCALHOST), GENERAL
        address = address_of(labels)
        if address is not None:
            found = self._zone.find_address(str(address))
            if found.exists or any(address in network for network in self._own):
                shown = found if kind == "PTR" or not found.exists else Found()
                return message.reply_with(query, shown, ".".join(labels[2:])), GENERAL
        return await self._of_others(query), FOREIGN

    def _is_ours(self, labels: Sequence[str]) -> bool:
        return tuple(labels[-len(self._domain) :]) == self._domain

    async def _of_cluster(self, query: Message, labels: Sequence[str], kind: str) -> tuple[Message, str]:
        found = self._zone.find(labels, kind)
        reply = message.reply_with(query, found, self._zone.domain)
        alias = found.alias
        if not alias or kind == "CNAME":
            return reply, topic_of(labels)
        await self._follow(query, reply, alias, kind)
        return reply, FOREIGN

    async def _follow(self, query: Message, reply: Message, alias: str, kind: str) -> None:
        """Add what an alias (ExternalName) leads to, be it in the cluster or elsewhere."""
        for _ in range(_LONGEST_CHAIN):
            labels = tuple(alias.rstrip(".").lower().split("."))
            if not self._is_ours(labels):
                await self._follow_elsewhere(query, reply, alias)
                return
            found = self._zone.find(labels[: -len(self._domain)], kind)
            reply.answer.extend(message.rrsets(found.records))
            alias = found.alias
            if not alias:
                reply.set_rcode(dns.rcode.NOERROR if found.exists else dns.rcode.NXDOMAIN)
                return
        reply.set_rcode(dns.rcode.SERVFAIL)

    async def _follow_elsewhere(self, query: Message, reply: Message, alias: str) -> None:
        answer = await self._upstream.ask(dns.message.make_query(alias, query.question[0].rdtype))
        if answer is None:
            reply.set_rcode(dns.rcode.SERVFAIL)
            return
        reply.answer.extend(self._theirs(answer.answer))
        reply.authority.extend(answer.authority)
        reply.set_rcode(answer.rcode())

    async def _of_others(self, query: Message) -> Message:
        answer = await self._upstream.ask(query)
        if answer is None:
            return message.failure(query)
        reply = message.reply_to(query, answer.rcode())
        reply.flags |= answer.flags & dns.flags.AD
        reply.answer, reply.additional = self._theirs(answer.answer), self._theirs(answer.additional)
        reply.authority = answer.authority
        return reply

    def _theirs(self, rrsets: Sequence[RRset]) -> list[RRset]:
        """Without addresses of ours, which nobody outside has to give: an Ingress or a browser inside that was sent to
        a foreign name would be led past what keeps projects apart (DNS rebinding)."""
        return [one for one in rrsets if not (_has_addresses(one) and any(self._is_own(data.address) for data in one))]

    def _is_own(self, address: str) -> bool:
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self._own)


def _has_addresses(rrset: RRset) -> bool:
    return rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)


def of_localhost(labels: Sequence[str], kind: str) -> Found:
    """`localhost` and every name below it is the asking machine itself, and nobody else is asked (RFC 6761, 6.3)."""
    value = {"A": "127.0.0.1", "AAAA": "::1"}.get(kind)
    return Found((Record(".".join(labels) + ".", kind, value),)) if value is not None else Found()


def topic_of(labels: Sequence[str]) -> str:
    """The Service a name below the domain is about, as "namespace/service"."""
    match tuple(labels):
        case (*_, name, namespace, "svc"):
            return f"{namespace}/{name}"
    return GENERAL


def address_of(labels: Sequence[str]) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address whose reverse name this is."""
    backwards = list(reversed(labels))
    try:
        match backwards[:2], len(labels):
            case ["arpa", "in-addr"], 6:
                return ipaddress.IPv4Address(".".join(backwards[2:]))
            case ["arpa", "ip6"], 34 if all(len(one) == 1 for one in backwards[2:]):
                return ipaddress.IPv6Address(int("".join(backwards[2:]), 16))
    except ValueError:
        return None
    return None
