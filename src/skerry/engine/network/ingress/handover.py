"""Who gets connections that begin while Caddy's configuration changes: the configuration that was loaded last.

Every configuration listens at sockets of its own, beside those of the one before. The kernel would deal connections
out among them; a program of one instruction, which it is given with the first socket, picks the newest instead. So the
configuration before gets no new connections, tells clients that keep theirs to come again (`document`), and ends when
nobody talks to it. Neighbour: `caddy`. Source: socket(7), SO_REUSEPORT and SO_ATTACH_REUSEPORT_CBPF.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

_TABLES = Path("/proc/thread-self/net")
_TRIES = 20  # a port that is free in one family may be taken in the other
_ATTACH_PROGRAM = 51  # SO_ATTACH_REUSEPORT_CBPF; Python has no name for it
_RETURN, _NEWEST = 0x06, 1
_LISTENING = "0A"


def named(listen: str, *, other: bool) -> str:
    """One of the two names that Caddy has for what it listens at ("10.64.0.1:80", "[fd00::1]:80"). It lets a
    configuration end slowly only if the next one does not listen at an address of that name."""
    network = ("tcp6" if listen.startswith("[") else "tcp4") if other else "tcp"
    return f"{network}/{listen}"


def reserve(addresses: Sequence[str], port: int, user: int) -> list[socket.socket]:
    """Sockets at this port of all addresses, or at another that is free at all of them, with the program, at which
    sockets of that user may join them. They must listen before those do, and may be closed then. Raises OSError."""
    for wanted in (port, *[0] * _TRIES):
        made: list[socket.socket] = []
        try:
            for address in addresses:
                made.append(_reserved(address, made[0].getsockname()[1] if made else wanted, user))
        except OSError:
            for one in made:
                one.close()
        else:
            return made
    raise OSError(f"there is no free port at {' and '.join(addresses)}")


def _reserved(address: str, port: int, user: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if port and listening(address, port):
            raise OSError(f"{address} port {port} is taken")  # by another Caddy of ours, which we would join
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((address, port))
        os.fchown(made.fileno(), user, user)
        _pick_newest(made)
    except OSError:
        made.close()
        raise
    return made


def _pick_newest(of: socket.socket) -> None:
    """Sockets count from 0 as they begin to listen, and the last takes the number of one that is closed: of two the
    newer is 1. When there is only one the kernel takes that, since there is no 1."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN, 0, 0, _NEWEST))
    of.setsockopt(socket.SOL_SOCKET, _ATTACH_PROGRAM, struct.pack("@HP", 1, ctypes.addressof(program)))


def listening(address: str, port: int) -> int:
    """How many sockets listen there, in this thread's network."""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    words = (int.from_bytes(packed[start : start + 4], sys.byteorder) for start in range(0, len(packed), 4))
    wanted, found = f"{''.join(f'{word:08X}' for word in words)}:{port:04X}", 0
    with (_TABLES / ("tcp6" if ":" in address else "tcp")).open() as table:
        next(table)
        for line in table:
            _, local, _, state, *_ = line.split(None, 4)
            if state != _LISTENING:
                break  # those that listen come first
            found += local == wanted
    return found
