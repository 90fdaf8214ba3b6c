"""A small server behind balancers: `server.py NAME ADDRESS PORT [PEM]`. Answers with its name and what it was asked.

With `Upgrade: echo` it switches protocols and sends back every line, as a WebSocket would.
"""

from __future__ import annotations

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer leaves in one piece: a server that is killed has given it or not

    def do_GET(self) -> None:
        """Who this is, what was asked and with which headers; or the echo."""
        if self.headers.get("Upgrade") == "echo":
            self._echo()
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"server": sys.argv[1], "path": self.path, "headers": headers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """How many bytes came."""
        left = length = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        body = json.dumps({"server": sys.argv[1], "length": length}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Nothing."""

    def _echo(self) -> None:
        self.send_response(101)
        self.send_header("Connection", "upgrade")
        self.send_header("Upgrade", "echo")
        self.end_headers()
        self.wfile.flush()
        while line := self.rfile.readline():
            self.wfile.write(line)
            self.wfile.flush()
        self.close_connection = True


class Server(ThreadingHTTPServer):
    """Many clients at once; what becomes of their connections is not its concern."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Clients and balancers go when they like."""


if __name__ == "__main__":
    server = Server((sys.argv[2], int(sys.argv[3])), Answers)
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4])
        # the handshake belongs to the connection's thread: one that is not made must not keep others waiting
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()
