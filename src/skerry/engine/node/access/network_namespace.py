"""TCP connections from inside a pod's network namespace.

A thread of its own enters the namespace, makes the socket and ends: a socket stays in the namespace it was made in, and
no thread that has been elsewhere goes back into a pool. Source: setns(2), network_namespaces(7).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading
from concurrent.futures import Future

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


async def connect(pid: int, port: int, timeout: float = 10.0) -> socket.socket:
    """A connection to the loopback address of the network namespace of process `pid`; 0 means our own.

    IPv4 first, then IPv6, as the kubelet does. Raises OSError, of the first attempt when neither answers.
    """
    refused: OSError | None = None
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            made = await _socket_in(pid, family)
            return await _connected(made, address, port, timeout)
        except OSError as error:
            refused = refused or error
    raise refused or OSError("no address family")


async def _connected(made: socket.socket, address: str, port: int, timeout: float) -> socket.socket:
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, (address, port)), timeout)
    except BaseException:
        made.close()
        raise
    return made


async def _socket_in(pid: int, family: int) -> socket.socket:
    future: Future[socket.socket] = Future()
    future.set_running_or_notify_cancel()  # the thread is not called back: who is cancelled leaves what it makes
    threading.Thread(target=_make, args=(pid, family, future), daemon=True).start()
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        future.add_done_callback(_close)
        raise


def _make(pid: int, family: int, future: Future[socket.socket]) -> None:
    try:
        if pid:
            _enter(pid)
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setblocking(False)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(made)


def _close(future: Future[socket.socket]) -> None:
    """Nobody takes it any more."""
    if future.exception() is None:
        future.result().close()


def _enter(pid: int) -> None:
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
