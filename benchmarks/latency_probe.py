"""Server and client of `latency`, inside pods: `latency_probe.py serve`, `latency_probe.py ask ADDRESS...`."""

from __future__ import annotations

import json
import socket
import statistics
import sys
import time

PORT = 8080
_WARM, _TIMES = 300, 4000
_MESSAGE = b"x" * 100


def serve() -> None:
    """Answer one message of each connection, for ever."""
    server = socket.create_server(("0.0.0.0", PORT), backlog=128)
    while True:
        connection, _ = server.accept()
        connection.sendall(connection.recv(1000))
        connection.close()


def ask(addresses: list[str]) -> dict[str, float]:
    """The median microseconds of a connection with one message and its answer, for each address.

    They are asked in turn, so that a busy machine slows all of them down.
    """
    times: dict[str, list[float]] = {address: [] for address in addresses}
    for turn in range(_WARM + _TIMES):
        for address in addresses:
            start = time.perf_counter()
            with socket.create_connection((address, PORT)) as connection:
                connection.sendall(_MESSAGE)
                connection.recv(1000)
            if turn >= _WARM:
                times[address].append((time.perf_counter() - start) * 1e6)
    return {address: statistics.median(found) for address, found in times.items()}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        print(json.dumps(ask(sys.argv[2:])))
