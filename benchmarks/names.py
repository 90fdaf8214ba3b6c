"""DNS questions a second, at the cluster's DNS address, by one client with a window of questions on their way.

As a program (`python -m benchmarks.names ADDRESS PORT SECONDS`) it is that client, in a process of its own; it prints
how many answers came. Half of the questions are for one name, the others for four more: what pods ask all the time.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import dns.message

from benchmarks.results import Row
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import SERVICES

SECONDS = 4.0
_WINDOW = 64
_LOST = 0.2  # seconds without any answer after which the window is filled anew
_DOMAIN = "default.svc.cluster.local."
_QUESTIONS = (
    ("kubernetes", "A"),
    ("kubernetes", "AAAA"),
    ("kubernetes", "A"),
    ("_https._tcp.kubernetes", "SRV"),
    ("kubernetes", "A"),
    ("nobody", "A"),
    ("kubernetes", "A"),
    ("kubernetes.default", "A"),
)


async def measure(client: HttpClient) -> Row:
    """The row. The engine runs."""
    service = await client.get(SERVICES, "kube-dns", "kube-system")
    command = [sys.executable, "-m", "benchmarks.names", service["spec"]["clusterIP"], "53", str(SECONDS)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return Row("DNS questions", int(output) / SECONDS, "/s", None, 10_000)


def ask(address: str, port: int, seconds: float) -> int:
    """Ask for so long; how many answers came."""
    wires = [dns.message.make_query(f"{name}.{_DOMAIN}", kind).to_wire()[2:] for name, kind in _QUESTIONS]
    answers = sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(_LOST)
        client.connect((address, port))
        until, on_their_way = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            while on_their_way < _WINDOW:
                client.send((sent & 0xFFFF).to_bytes(2, "big") + wires[sent % len(wires)])
                sent, on_their_way = sent + 1, on_their_way + 1
            try:
                client.recv(4096)
                answers, on_their_way = answers + 1, on_their_way - 1
            except TimeoutError:
                on_their_way = 0
    return answers


if __name__ == "__main__":
    print(ask(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
