"""Asks again and again, and notes every answer: `load_client.py HOST ADDRESS PORT PAUSE [CA]`, until it is ended.

Four clients at once, of which two keep their connections. A line for each request: when it ended, the server that
answered (as its JSON says) or the error. A kept connection that turns out to be closed is noted as "again", and the
request sent once more on a new one, as HTTP has it for GET (RFC 9110, 9.2.2) and every client does it. PAUSE: seconds
between two requests of a client. With a CA file it asks over TLS, and the certificate must be HOST's.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import sys
import threading
import time

HOST, ADDRESS, PORT, PAUSE = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
PATIENCE = 60.0  # seconds: what hangs that long has failed

context = ssl.create_default_context(cafile=sys.argv[5]) if len(sys.argv) > 5 else None


class Connection(http.client.HTTPConnection):
    """To the address, as the host."""

    def connect(self) -> None:
        plain = socket.create_connection((ADDRESS, PORT), PATIENCE)
        self.sock = context.wrap_socket(plain, server_hostname=HOST) if context else plain


def ask(connection: Connection) -> str:
    connection.request("GET", "/load", headers={"Host": HOST})
    answer = connection.getresponse()
    body = answer.read()
    return str(json.loads(body)["server"]) if answer.status == 200 else f"failed {answer.status}"


def said(connection: Connection) -> str:
    used = connection.sock is not None
    try:
        return ask(connection)
    except (ConnectionResetError, BrokenPipeError, http.client.BadStatusLine) as error:
        connection.close()
        return "again" if used else f"failed {type(error).__name__}"
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return f"failed {type(error).__name__}"


def go_on(keep: bool) -> None:
    connection = Connection(HOST, PORT, timeout=PATIENCE)
    while True:
        noted = said(connection)
        os.write(1, f"{time.monotonic():.3f} {noted}\n".encode())  # in one piece: threads do not get between
        if noted == "again":
            continue
        if not keep:
            connection.close()
        time.sleep(PAUSE)


for number in range(4):
    threading.Thread(target=go_on, args=(number % 2 == 0,)).start()
