"""ARP: asking who has an address, and telling everybody that we have it. Frames are pure; sockets are opened for it.

Who asks does so with its own address, not with 0.0.0.0 as RFC 5227 has it: the kernel answers for announced addresses
(proxy ARP) only then, and so two machines with Skerry find each other. Source: RFC 826, RFC 5227.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection
from contextlib import closing
from ipaddress import IPv4Address

from skerry.engine.network.announcing.asking import answers
from skerry.engine.network.announcing.wanted import Interface

_ETHERTYPE = 0x0806
_REQUEST, _REPLY = 1, 2
_FRAME = struct.Struct("!6s6sH HHBBH 6s4s6s4s")
_BROADCAST, _UNKNOWN = b"\xff" * 6, b"\0" * 6
_ETHERNET, _IPV4 = (1, 6), (0x0800, 4)  # types and the lengths of their addresses


def question(hardware: bytes, sender: str, target: str) -> bytes:
    """Who has `target`? Sent by `sender` ("0.0.0.0" if it has no address)."""
    return _frame(_REQUEST, (hardware, sender), (_UNKNOWN, target))


def declarations(hardware: bytes, address: str) -> list[bytes]:
    """That `address` is at `hardware`, in both forms there are: some systems learn from one, some from the other."""
    return [
        _frame(_REQUEST, (hardware, address), (_UNKNOWN, address)),
        _frame(_REPLY, (hardware, address), (_BROADCAST, address)),
    ]


def sender_of(frame: bytes) -> tuple[str, str] | None:
    """The address and the hardware address a frame says its sender has; None if it is no ARP for IPv4."""
    if len(frame) < _FRAME.size:
        return None
    fields = _FRAME.unpack(frame[: _FRAME.size])
    if fields[2:7] != (_ETHERTYPE, _ETHERNET[0], _IPV4[0], _ETHERNET[1], _IPV4[1]):
        return None
    return socket.inet_ntoa(fields[9]), fields[8].hex(":")


async def others_at(interface: Interface, addresses: Collection[str], own: Collection[str]) -> dict[str, str]:
    """Which of the addresses somebody else answers for there, and at which hardware address. `own`: hardware addresses
    of this machine. Takes as long as the patience. Raises OSError, for example when the interface is down."""
    if not addresses:
        return {}
    with closing(_open(interface.name)) as link:

        def ask(address: str) -> None:
            link.send(question(_bytes(interface), _asking_as(interface, address), address))

        return await answers(link, ask, lambda: sender_of(link.recv(2048)), addresses, own)


def declare(interface: Interface, addresses: Collection[str]) -> None:
    """Tell everybody on the network, so that who has learnt another place forgets it. Raises OSError."""
    with closing(_open(interface.name)) as link:
        for address in addresses:
            for frame in declarations(_bytes(interface), address):
                link.send(frame)


def _open(name: str) -> socket.socket:
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(_ETHERTYPE))
    try:
        link.bind((name, _ETHERTYPE))
    except OSError:
        link.close()
        raise
    return link


def _bytes(interface: Interface) -> bytes:
    return bytes.fromhex(interface.hardware.replace(":", ""))


def _asking_as(interface: Interface, address: str) -> str:
    """Our address in the network of `address`, else any."""
    target, known = IPv4Address(address), interface.addresses.items()
    nearby = (own for own, network in known if target in network)
    any_of_ours = next((own for own, network in known if network.version == 4), "0.0.0.0")  # noqa: S104
    return next(nearby, any_of_ours)


def _frame(operation: int, sender: tuple[bytes, str], target: tuple[bytes, str]) -> bytes:
    return _FRAME.pack(
        _BROADCAST,
        sender[0],
        _ETHERTYPE,
        _ETHERNET[0],
        _IPV4[0],
        _ETHERNET[1],
        _IPV4[1],
        operation,
        sender[0],
        socket.inet_aton(sender[1]),
        target[0],
        socket.inet_aton(target[1]),
    )
