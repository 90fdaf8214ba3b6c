#!/usr/bin/python3
"""Runs a cell on the JupyterLab at the URL given, as a browser does: a session's cookie, a kernel, its WebSocket.

For the chart's test. JUPYTER_TOKEN is used when it is set.
"""

import json
import os
import sys
import uuid
from http.cookiejar import CookieJar
from urllib.request import HTTPCookieProcessor, Request, build_opener

import websocket

BASE = sys.argv[1].rstrip("/")
JAR = CookieJar()
OPENER = build_opener(HTTPCookieProcessor(JAR))
TOKEN = os.environ.get("JUPYTER_TOKEN")


def headers():
    cookies = {cookie.name: cookie.value for cookie in JAR}
    return {**({"Authorization": f"token {TOKEN}"} if TOKEN else {}), "X-XSRFToken": cookies.get("_xsrf", "")}


def ask(method, path):
    with OPENER.open(Request(BASE + path, method=method, headers=headers()), timeout=60) as answer:
        return answer.read()


def execute(kernel, code):
    cookie = "; ".join(f"{one.name}={one.value}" for one in JAR)
    url = f"{BASE.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels"
    channel = websocket.create_connection(url, header=headers(), cookie=cookie, timeout=60)
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": uuid.uuid4().hex,
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    channel.send(json.dumps(message))
    while True:
        told = json.loads(channel.recv())
        if told["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        if told["msg_type"] == "execute_result":
            return told["content"]["data"]["text/plain"]
        if told["msg_type"] == "error":
            sys.exit("\n".join(told["content"]["traceback"]))


ask("GET", "/lab")
kernel = json.loads(ask("POST", "/api/kernels"))["id"]
result = execute(kernel, "import pandas; int(pandas.Series([20, 22]).sum())")
ask("DELETE", f"/api/kernels/{kernel}")
print("a cell gave", result)
sys.exit(0 if result == "42" else 1)
