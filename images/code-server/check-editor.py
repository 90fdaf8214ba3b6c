#!/usr/bin/python3
"""Opens the code-server at the URL given as browsers do: signs in, loads the workbench, greets the editor by WebSocket.

For the chart's test. PASSWORD is used when it is set.
"""

import json
import os
import re
import sys
import uuid
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import websocket

BASE = sys.argv[1].rstrip("/")
JAR = CookieJar()
OPENER = build_opener(HTTPCookieProcessor(JAR))
CONTROL = 2
HEADER = 13
"""The editor's messages: a byte for the kind, eight for numbers that count, four for the length, the rest."""


def ask(path, **fields):
    with OPENER.open(BASE + path, urlencode(fields).encode() if fields else None, timeout=60) as answer:
        return answer.read().decode()


def fetch(path):
    """Something big, piece by piece: the test has little memory."""
    with OPENER.open(BASE + path, timeout=60) as answer:
        while answer.read(1 << 16):
            pass


def control(message):
    data = json.dumps(message).encode()
    return bytes([CONTROL]) + bytes(8) + len(data).to_bytes(4, "big") + data


def greeted(address):
    """What the editor's server answers to who wants to come in."""
    cookie = "; ".join(f"{one.name}={one.value}" for one in JAR)
    query = urlencode({"reconnectionToken": uuid.uuid4(), "reconnection": "false", "skipWebSocketFrames": "false"})
    url = f"{BASE.replace('http', 'ws', 1)}/{address}?{query}"
    channel = websocket.create_connection(url, cookie=cookie, timeout=60)
    channel.send_binary(control({"type": "auth", "auth": "00000000000000000000", "data": ""}))
    while True:
        told = channel.recv()
        if told[0] == CONTROL:
            return json.loads(told[HEADER:])


page = ask("/login", password=os.environ["PASSWORD"]) if "PASSWORD" in os.environ else ask("/")
version = re.search(r"(stable-[0-9a-f]{40})/static", page)
if version is None:
    sys.exit(f"this is no workbench: {page[:300]}")
fetch(f"/{version[1]}/static/out/vs/code/browser/workbench/workbench.js")
answer = greeted(version[1])
print("the editor answered", answer["type"])
sys.exit(0 if answer["type"] == "sign" else 1)
