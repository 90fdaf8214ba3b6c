"""An API client that asks as Kubernetes' e2e framework does: it prefers protobuf, and takes JSON."""

from __future__ import annotations

import http.client
import json
import ssl
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.support.waiting import LIMIT, eventually

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
ACCEPT = "application/vnd.kubernetes.protobuf,application/json"


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is parsed where it is JSON."""

    code: int
    body: Any
    headers: Mapping[str, str]

    @property
    def warnings(self) -> str:
        """All warnings in one text."""
        return self.headers.get("Warning", "")


class Watch:
    """Events of a watch, as they come."""

    def __init__(self, connection: http.client.HTTPSConnection, path: str) -> None:
        self._connection = connection
        connection.request("GET", path, headers={"Accept": ACCEPT})
        self._answer = connection.getresponse()
        assert self._answer.status == 200, self._answer.read()

    def next(self) -> tuple[str, Any]:
        """(type, object); fails after some seconds without one."""
        event = json.loads(self._answer.readline())
        return event["type"], event["object"]

    def until(self, kind: str, condition: Callable[[Any], bool] = lambda obj: True) -> Any:
        """The object of the first such event."""
        while True:
            found, obj = self.next()
            if found == kind and condition(obj):
                return obj

    def is_silent(self, seconds: float = 0.2) -> bool:
        """Nothing comes for a while; the watch is over then."""
        assert self._connection.sock
        self._connection.sock.settimeout(seconds)
        try:
            return not self._answer.readline()
        except TimeoutError:
            return True


class E2eClient:
    """Requests as the administrator, or with other credentials. Methods named after verbs
    fail on anything but success."""

    def __init__(self, kubeconfig: Path, token: str = "") -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        server, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.address = urlsplit(server["server"])
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.tls = ssl.create_default_context(cadata=b64decode(server["certificate-authority-data"]).decode())
        if not token:
            with tempfile.NamedTemporaryFile() as both:
                both.write(b64decode(user["client-certificate-data"]) + b64decode(user["client-key-data"]))
                both.flush()
                self.tls.load_cert_chain(both.name)
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPSConnection:
        assert self.address.hostname
        return http.client.HTTPSConnection(self.address.hostname, self.address.port, context=self.tls, timeout=LIMIT)

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = ACCEPT,
        **headers: str,
    ) -> Answer:
        """Whatever the answer is. A body that is text goes as it is."""
        raw = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        sent = {"Accept": accept, **self._headers, **headers}
        if raw is not None:
            sent["Content-Type"] = content_type
        self._connection.request(method, path, raw, sent)
        answer = self._connection.getresponse()
        data = answer.read()
        is_json = "json" in answer.headers.get("Content-Type", "")
        got: dict[str, str] = {}
        for name, value in answer.headers.items():
            got[name] = f"{got[name]}\n{value}" if name in got else value
        return Answer(answer.status, json.loads(data) if is_json else data.decode(errors="replace"), got)

    def _wanted(self, method: str, path: str, *arguments: Any) -> Any:
        answer = self.call(method, path, *arguments)
        assert 200 <= answer.code < 300, (method, path, answer.code, answer.body)
        return answer.body

    def get(self, path: str) -> Any:
        """The object or list."""
        return self._wanted("GET", path)

    def items(self, path: str) -> list[Any]:
        """What a list has."""
        return list(self.get(path)["items"])

    def create(self, path: str, body: Any) -> Any:
        """The object made."""
        return self._wanted("POST", path, body)

    def update(self, path: str, body: Any) -> Any:
        """The object written."""
        return self._wanted("PUT", path, body)

    def change(self, path: str, how: Callable[[Any], object]) -> Any:
        """Read, change, write; anew when somebody else wrote in between, as the tests upstream do."""
        while True:
            now = self.get(path)
            how(now)
            answer = self.call("PUT", path, now)
            if answer.code != 409:
                assert answer.code == 200, answer
                return answer.body

    def patch(self, path: str, body: Any, content_type: str = MERGE_PATCH) -> Any:
        """The object changed."""
        return self._wanted("PATCH", path, body, content_type)

    def delete(self, path: str, options: Any = None) -> Any:
        """The object or status."""
        return self._wanted("DELETE", path, options)

    def code(self, path: str) -> int:
        """How a GET is answered."""
        return self.call("GET", path).code

    def until(self, path: str, condition: Callable[[Any], bool], seconds: float = LIMIT) -> Any:
        """What is there once the condition holds."""

        def holds() -> Any:
            answer = self.call("GET", path)
            assert answer.code == 200, answer
            assert condition(answer.body), answer.body
            return [answer.body]

        return eventually(holds, path, seconds)[0]

    def until_gone(self, path: str, seconds: float = LIMIT) -> None:
        """Waits for 404."""
        eventually(lambda: self.code(path) == 404, f"end of {path}", seconds)

    def until_empty(self, path: str) -> None:
        """Waits until a list has nothing."""
        self.until(path, lambda found: not found["items"])

    @contextmanager
    def watch(self, path: str, **options: str) -> Iterator[Watch]:
        """A watch on a connection of its own."""
        connection = self._connect()
        query = "&".join(f"{name}={value}" for name, value in {"watch": "true", **options}.items())
        try:
            yield Watch(connection, f"{path}{'&' if '?' in path else '?'}{query}")
        finally:
            connection.close()
