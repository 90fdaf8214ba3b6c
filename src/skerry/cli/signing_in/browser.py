"""A code by the person's browser: the platform's page sends it back to a port of this machine (RFC 8252, RFC 7636)."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic
from urllib.parse import parse_qsl, urlencode, urlsplit

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.signing_in.server import CLIENT, Server, Tokens, challenge_of

_PATH = "/done"
_SECONDS = 600.0
_LONGEST_REQUEST = 10.0


def by_browser(server: Server, *, opens: bool) -> Tokens:
    """Ask the person to sign in. `opens`: start a browser; the address is printed in any case. Raises CommandFailed,
    Refused."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    with _Loopback(state) as loopback:
        asked = {
            "client_id": CLIENT,
            "response_type": "code",
            "redirect_uri": loopback.address,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            "state": state,
            "description": socket.gethostname(),
        }
        address = f"{server.url}/identity/authorize?{urlencode(asked)}"
        click.echo(f"Sign in with a browser on this machine:\n\n  {address}\n", err=True)
        if opens:
            webbrowser.open(address)
        code = loopback.wait()
        return server.token("authorization_code", code=code, redirect_uri=loopback.address, code_verifier=verifier)


class _Loopback(HTTPServer):
    """Hears one answer."""

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state, self.said = state, dict[str, str]()
        self.address = f"http://127.0.0.1:{self.server_port}{_PATH}"

    def wait(self) -> str:
        """The code. Raises CommandFailed: refused, or nobody came."""
        end = monotonic() + _SECONDS
        while not self.said and monotonic() < end:
            self.timeout = max(0.0, end - monotonic())
            self.handle_request()
        if "code" in self.said:
            return self.said["code"]
        why = {"access_denied": "you said no"}.get(self.said.get("error", ""), self.said.get("error", ""))
        raise CommandFailed(f"not signed in: {why or 'nobody signed in within ten minutes'}")


class _Handler(BaseHTTPRequestHandler):
    server: _Loopback
    timeout = _LONGEST_REQUEST

    def do_GET(self) -> None:  # http.server calls it so
        """Only what knows our state is heard."""
        split = urlsplit(self.path)
        said = dict(parse_qsl(split.query))
        if split.path != _PATH or not secrets.compare_digest(said.get("state", ""), self.server.state):
            self.send_error(404)
            return
        self.server.said = said
        body = b"Signed in: go back to the command line. This window can be closed.\n"
        if "code" not in said:
            body = b"Not signed in. This window can be closed.\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the path has the code in it."""
