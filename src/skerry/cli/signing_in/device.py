"""A code for a machine without a browser: the person types it elsewhere (RFC 8628)."""

from __future__ import annotations

import socket
import time

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.signing_in.server import Refused, Server, Tokens

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER = 5


def by_device(server: Server) -> Tokens:
    """Ask the person to type a code. Raises CommandFailed, Refused."""
    begun = server.form("/identity/device_authorization", description=socket.gethostname())
    click.echo(f"Open {begun['verification_uri']} in any browser and type {begun['user_code']}", err=True)
    interval, end = int(begun["interval"]), time.monotonic() + int(begun["expires_in"])
    while time.monotonic() < end:
        time.sleep(interval)  # the server says how often it may be asked
        try:
            return server.token(_GRANT, device_code=begun["device_code"])
        except Refused as refused:
            if refused.error == "slow_down":
                interval += _SLOWER
            elif refused.error != "authorization_pending":
                raise
    raise CommandFailed("not signed in: nobody typed the code in time")
