"""NDP, IPv6's ARP: asking who has an address, and telling everybody that we have it. Messages are pure; sockets are
opened for it, and the kernel adds their checksums.

Source: RFC 4861, 4.3, 4.4 and 7.2.6. What came from another network is not believed: it has lost hops (7.1).
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Collection
from contextlib import closing

from skerry.engine.network.announcing.asking import answers
from skerry.engine.network.announcing.wanted import Interface

_SOLICITATION, _ADVERTISEMENT = 135, 136
_MESSAGE = struct.Struct("!BBHI16s")
_OVERRIDE = 0x20000000
"""Who has learnt another place shall forget it."""
_SOURCE, _TARGET = 1, 2
"""Options: whose hardware address follows."""
_OPTION = struct.Struct("!BB6s")
_ALL_NODES = "ff02::1"
_FILTER = 1  # ICMP6_FILTER; Python has no name for it
_MOST_HOPS = 255


def question(hardware: bytes, target: str) -> bytes:
    """Who has `target`?"""
    asked = _MESSAGE.pack(_SOLICITATION, 0, 0, 0, _packed(target))
    return asked + _OPTION.pack(_SOURCE, 1, hardware)


def declaration(hardware: bytes, address: str) -> bytes:
    """That `address` is at `hardware`, without having been asked."""
    said = _MESSAGE.pack(_ADVERTISEMENT, 0, 0, _OVERRIDE, _packed(address))
    return said + _OPTION.pack(_TARGET, 1, hardware)


def group_of(address: str) -> str:
    """Where who has an address listens for questions about it (RFC 4291, 2.7.1)."""
    return socket.inet_ntop(socket.AF_INET6, _packed("ff02::1:ff00:0")[:13] + _packed(address)[13:])


def answer_of(message: bytes) -> tuple[str, str] | None:
    """The address that an advertisement is about and its hardware address ("" if it is silent about that); None if it
    is none."""
    if len(message) < _MESSAGE.size or message[0] != _ADVERTISEMENT:
        return None
    address = socket.inet_ntop(socket.AF_INET6, _MESSAGE.unpack_from(message)[4])
    options = message[_MESSAGE.size :]
    while len(options) >= _OPTION.size and options[1]:
        if options[0] == _TARGET:
            return address, options[2:8].hex(":")
        options = options[8 * options[1] :]
    return address, ""


async def others_at(interface: Interface, addresses: Collection[str], own: Collection[str]) -> dict[str, str]:
    """Which of the addresses somebody else answers for there, and at which hardware address. `own`: hardware addresses
    of this machine. Takes as long as the patience. Raises OSError, for example when the interface is down."""
    if not addresses:
        return {}
    with closing(_open(interface.name)) as link:

        def ask(address: str) -> None:
            link.sendto(question(_hardware(interface), address), (group_of(address), 0))

        return await answers(link, ask, lambda: _heard(link), addresses, own)


def _heard(link: socket.socket) -> tuple[str, str] | None:
    """Who keeps silent about the hardware address is named by the address of the message."""
    message, notes, _, sender = link.recvmsg(2048, socket.CMSG_SPACE(4))
    said = answer_of(message) if _is_from_here(notes) else None
    return (said[0], said[1] or sender[0]) if said else None


def declare(interface: Interface, addresses: Collection[str]) -> None:
    """Tell everybody on the network, so that who has learnt another place forgets it. Raises OSError."""
    with closing(_open(interface.name)) as link:
        for address in addresses:
            link.sendto(declaration(_hardware(interface), address), (_ALL_NODES, 0))


def _open(name: str) -> socket.socket:
    """Hears advertisements, and nothing else."""
    link = socket.socket(socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMPV6)
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        refused = ~(1 << _ADVERTISEMENT) & ((1 << 256) - 1)
        words = struct.pack("=8I", *((refused >> shift) & 0xFFFFFFFF for shift in range(0, 256, 32)))
        link.setsockopt(socket.IPPROTO_ICMPV6, _FILTER, words)
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _MOST_HOPS)
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex(name))
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    except OSError:
        link.close()
        raise
    return link


def _is_from_here(notes: Collection[tuple[int, int, bytes]]) -> bool:
    hops = [int.from_bytes(data, sys.byteorder) for _, kind, data in notes if kind == socket.IPV6_HOPLIMIT]
    return hops == [_MOST_HOPS]


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, address)


def _hardware(interface: Interface) -> bytes:
    return bytes.fromhex(interface.hardware.replace(":", ""))
