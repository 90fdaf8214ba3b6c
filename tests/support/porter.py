"""A program for pods: answers HTTP on several ports, each in its own way, and says over UDP who it is. Nothing but the
standard library, as it runs where there is nothing else (`pod_python`).

porter.py PORT=TEXT ... tls:PORT=TEXT ... udp:PORT [--pair CERTIFICATE KEY]; the text `json` is a report of the request.
"""

from __future__ import annotations

import http.server
import json
import socketserver
import ssl
import sys
import threading
from collections.abc import Sequence


class _Answering(http.server.BaseHTTPRequestHandler):
    text = ""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        report = json.dumps({"Method": self.command, "Body": "foo", "Path": self.path})
        body = (report if self.text == "json" else self.text).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if self.text == "json" else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = answer

    def log_message(self, format: str, *args: object) -> None:
        return


class _Named(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, connection = self.request
        connection.sendto(b"udp " + data, self.client_address)


def main(arguments: Sequence[str]) -> None:
    """Serve until killed."""
    pair: Sequence[str] = ()
    if "--pair" in arguments:
        at = arguments.index("--pair")
        arguments, pair = arguments[:at], arguments[at + 1 :]
    servers = [_server(one, pair) for one in arguments]  # whoever has an answer at one port finds all the others
    for server in servers:
        threading.Thread(target=server.serve_forever).start()


def _server(one: str, pair: Sequence[str]) -> socketserver.BaseServer:
    where, _, text = one.partition("=")
    kind, _, port = where.rpartition(":")
    if kind == "udp":
        return socketserver.ThreadingUDPServer(("", int(port)), _Named)
    server = http.server.ThreadingHTTPServer(("", int(port)), type("Answering", (_Answering,), {"text": text}))
    if kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


if __name__ == "__main__":
    main(sys.argv[1:])
