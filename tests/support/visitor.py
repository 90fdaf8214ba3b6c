"""A browser without scripts, at an app's address: it finds the app's host at the Ingress of a whole program."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from http.cookiejar import Cookie, CookieJar
from typing import Any
from urllib.parse import urlsplit

from tests.support.program import Program


class Visitor:
    """One person's, with cookies; it follows where it is sent. `host`: the app's; others are asked where they say."""

    def __init__(self, program: Program, host: str) -> None:
        announced = program.get("-n", "kube-public", "configmap/skerry-platform")["data"]
        self.platform = urlsplit(announced["url"])
        self.jar = CookieJar()
        trust = ssl.create_default_context(cadata=announced["ca.crt"] + program.skerry("ca").stdout)
        doors = {host: program.ingress("https")}
        handlers = (urllib.request.HTTPCookieProcessor(self.jar), _Handler(trust, doors))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)

    def signs_in(self, token: str) -> None:
        """As the person of a session of the platform."""
        name = self.platform.hostname or ""
        domain = name if "." in name else f"{name}.local"
        self.jar.set_cookie(
            Cookie(
                0,
                "__Host-skerry",
                token,
                None,
                False,
                domain,
                False,
                False,
                "/",
                True,
                True,
                None,
                True,
                None,
                None,
                {},
            )
        )

    def get(self, url: str, **headers: str) -> tuple[int, str, str]:
        """Status, where it ended, and what that says."""
        request = urllib.request.Request(url, headers=headers)
        try:
            with self._opener.open(request, timeout=60) as answer:
                return answer.status, answer.url, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.url, error.read().decode()


class _Handler(urllib.request.HTTPSHandler):
    def __init__(self, trust: ssl.SSLContext, doors: dict[str, tuple[str, int]]) -> None:
        super().__init__(context=trust)
        self._trust, self._doors = trust, doors

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **more: Any) -> http.client.HTTPSConnection:
        made = http.client.HTTPSConnection(host, context=self._trust, timeout=more.get("timeout", 60))
        where = self._doors.get(made.host, (made.host, made.port))
        made._create_connection = lambda _, *rest: socket.create_connection(where, *rest)  # type: ignore[attr-defined]
        return made
