#!/usr/bin/python3
"""Asks the desktop at the host given for its page and, by WebSocket, what its screen speaks: the chart's test."""

import base64
import os
import socket
import sys
from urllib.request import urlopen

HOST = sys.argv[1]
with urlopen(f"http://{HOST}/vnc.html", timeout=60) as page:
    assert b"noVNC" in page.read(), "the page is not noVNC's"
with socket.create_connection((HOST, 80), timeout=60) as channel:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        "GET /websockify HTTP/1.1",
        f"Host: {HOST}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: binary",
        "",
        "",
    )
    channel.sendall("\r\n".join(lines).encode())
    told = b""
    while b"RFB " not in told:
        more = channel.recv(4096)
        assert more, f"the screen ended the connection: {told!r}"
        told += more
assert told.startswith(b"HTTP/1.1 101"), told
print("a screen answered:", told[told.index(b"RFB ") :].decode().strip())
