"""The smallest HTTP client of the API, for tests that must know exactly which request was answered."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.support.waiting import LIMIT


class RawApi:
    """One keep-alive connection at a time; a failure of it raises OSError and the next call reconnects."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        address = urlsplit(cluster["server"])
        assert address.hostname
        self._host, self._port = address.hostname, address.port or 443
        self._tls = ssl.create_default_context(cadata=pem(cluster, "certificate-authority"))
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
            both.write(pem(user, "client-certificate") + pem(user, "client-key"))
            both.flush()
            self._tls.load_cert_chain(both.name)
        self._connection: http.client.HTTPSConnection | None = None

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """(code, parsed JSON answer). Raises OSError when no whole answer came: it may or may not have counted."""
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        try:
            connection = self._connect()
            typed = {"Content-Type": content_type} if raw is not None else {}
            connection.request(method, path, raw, {**typed, **(headers or {})})
            answer = connection.getresponse()
            data = answer.read()
            return answer.status, json.loads(data) if data else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise OSError(str(error)) from error

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> http.client.HTTPSConnection:
        if self._connection is None:
            self._connection = self.open()
        return self._connection

    def open(self) -> http.client.HTTPSConnection:
        """Another connection, for what takes its time; the caller closes it."""
        return http.client.HTTPSConnection(self._host, self._port, context=self._tls, timeout=LIMIT)


def pem(section: dict[str, str], name: str) -> str:
    """A certificate or key of a kubeconfig's section, embedded or in a file."""
    if f"{name}-data" in section:
        return base64.b64decode(section[f"{name}-data"]).decode()
    return Path(section[name]).read_text()
