"""Widgets of example.com from one version to another: v1 has `hostPort`, v2 `host` and `port`.

A function for tests, and a program for pods: `conversion_server.py CERTIFICATE KEY PORT` is a conversion webhook.
Nothing but the standard library, as it runs where there is nothing else (`pod_python`).
"""

from __future__ import annotations

import http.server
import json
import ssl
import sys
from typing import Any

OLD_SPEC = {"spec": {"type": "object", "properties": {"hostPort": {"type": "string"}}}}
NEW_SPEC = {
    "spec": {"type": "object", "properties": {"host": {"type": "string"}, "port": {"type": "string", "default": "80"}}}
}


def convert(review: dict[str, Any]) -> dict[str, Any]:
    """The answer to a ConversionReview."""
    request = review["request"]
    objs = [_converted(obj, request["desiredAPIVersion"]) for obj in request["objects"]]
    response = {"uid": request["uid"], "convertedObjects": objs, "result": {"status": "Success"}}
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}


def _converted(obj: dict[str, Any], wanted: str) -> dict[str, Any]:
    spec = obj.get("spec") or {}
    if wanted.endswith("v1"):
        return {**obj, "apiVersion": wanted, "spec": {"hostPort": f"{spec.get('host')}:{spec.get('port')}"}}
    host, _, port = spec.get("hostPort", "").partition(":")
    return {**obj, "apiVersion": wanted, "spec": {"host": host, "port": port}}


class _Answering(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(convert(review)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(certificate: str, key: str, port: str) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("", int(port)), _Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
