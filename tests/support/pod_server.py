"""A server in a pod: `pod_server.py [PORT...]`. HTTP on each port, datagrams too; answers with its version and pod.

It ends as servers behind a Service should: at SIGTERM it takes no more connections, tells each it has that its next
answer is the last, and is gone when all are. Neighbour: `load_client` asks it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ending = threading.Event()


def name() -> bytes:
    """Who answers."""
    said = f"{os.environ.get('VERSION', '')} {os.environ['HOSTNAME']}".strip()
    return json.dumps({"server": said}).encode()


class Answers(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body leave together

    def do_GET(self) -> None:
        """Who this is."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(name())))
        if ending.is_set():
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(name())

    def log_message(self, *words: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    """Waits for its connections when it is closed."""

    daemon_threads = False
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Clients go when they like."""


def answer_datagrams(port: int) -> None:
    """For ever."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("0.0.0.0", port))
    while True:
        _, peer = datagrams.recvfrom(1000)
        with contextlib.suppress(OSError):  # a policy may forbid the answer by now
            datagrams.sendto(name(), peer)


def main() -> None:
    """Until SIGTERM."""
    servers = [Server(("0.0.0.0", int(port)), Answers) for port in sys.argv[1:]]
    serving = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
    for port in sys.argv[1:]:
        threading.Thread(target=answer_datagrams, args=(int(port),), daemon=True).start()
    for thread in serving:
        thread.start()
    signal.sigwait({signal.SIGTERM})
    ending.set()
    for server in servers:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
