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
from pathlib import Path

NETWORKS = ("tcp", "tcp4")
"""Two names of Caddy's for the same address. It lets a configuration end slowly only if the next one does not listen
at an address of that name."""
_ATTACH_PROGRAM = 51  # SO_ATTACH_REUSEPORT_CBPF; Python has no name for it
_RETURN, _NEWEST = 0x06, 1
_LISTENING = "0A"


def reserve(address: str, ports: tuple[int, ...], user: int) -> socket.socket:
    """A socket at the first of these ports that is free, with the program, at which sockets of that user may join it.
    It must listen before they do, and may be closed then. Raises OSError."""
    for port in ports:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port and listening(address, port):
                raise OSError(f"{address}:{port} is taken")  # by another Caddy of ours, which we would join
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.bind((address, port))
            os.fchown(made.fileno(), user, user)
            _pick_newest(made)
        except OSError:
            made.close()
        else:
            return made
    raise OSError(f"there is no free port at {address}")


def _pick_newest(of: socket.socket) -> None:
    """Sockets count from 0 as they begin to listen, and the last takes the number of one that is closed: of two the
    newer is 1. When there is only one the kernel takes that, since there is no 1."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN, 0, 0, _NEWEST))
    of.setsockopt(socket.SOL_SOCKET, _ATTACH_PROGRAM, struct.pack("@HP", 1, ctypes.addressof(program)))


def listening(address: str, port: int) -> int:
    """How many sockets listen there, in this thread's network."""
    number = int.from_bytes(socket.inet_aton(address), sys.byteorder)
    wanted, found = f"{number:08X}:{port:04X}", 0
    with Path("/proc/thread-self/net/tcp").open() as table:
        next(table)
        for line in table:
            _, local, _, state, *_ = line.split(None, 4)
            if state != _LISTENING:
                break  # those that listen come first
            found += local == wanted
    return found
