"""The server under fire: sends it anything, says what an answer may be, and what it must not have grown by.

How many examples: the environment variable SKERRY_FUZZ_EXAMPLES (per operation; 15 times as many per kind and verb), by
default so few that the suite takes about two minutes. Every run with the same number sends the same.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml
from hypothesis import HealthCheck, Phase, settings

from tests.support.raw_api import pem

EXAMPLES = int(os.environ.get("SKERRY_FUZZ_EXAMPLES", "1"))
SECONDS_FOR_AN_ANSWER = 60.0
HONEST_FAILURES = (501, 504)
"""What is not supported, and a resourceVersion that has not happened: Kubernetes says so with these codes as well."""
FUZZ = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Victim:
    """A client on one connection that judges every answer. Make it with `connect`."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url
        self.requests = 0
        self._session = session

    @classmethod
    @contextmanager
    def connect(cls, kubeconfig: Path) -> Iterator[Victim]:
        """As the kubeconfig's user."""
        config = yaml.safe_load(kubeconfig.read_text())
        server, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        with tempfile.TemporaryDirectory() as folder, requests.Session() as session:
            certificate, authority = Path(folder, "client.pem"), Path(folder, "ca.pem")
            certificate.write_text(pem(user, "client-certificate") + pem(user, "client-key"))
            authority.write_text(pem(server, "certificate-authority"))
            session.trust_env = False
            session.cert, session.verify = str(certificate), str(authority)
            yield cls(server["server"], session)

    def send(self, method: str, path: str, *, media: str = "application/json", body: Any = None, **more: Any) -> int:
        """Send it and judge the answer; returns its code."""
        headers = {"Content-Type": media} if body is not None else {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.judged(method=method, url=self.url + path, data=data, headers=headers, **more)

    def judged(self, **request: Any) -> int:
        """Send a request as `requests` takes it: no failure of the server, a Status when refused, in time."""
        self.requests += 1
        answer = self._session.request(**request, timeout=SECONDS_FOR_AN_ANSWER)
        sent = request.get("data") or request.get("json")
        shown = f"{request['method']} {answer.request.url} {sent!r}: {answer.text[:500]}"
        assert answer.status_code < 500 or answer.status_code in HONEST_FAILURES, shown
        if answer.status_code >= 400 and request["method"] != "HEAD":
            status = answer.json()
            assert (status["kind"], status["code"]) == ("Status", answer.status_code), shown
            assert status["message"], shown
        return answer.status_code

    def get(self, path: str) -> Any:
        """A document."""
        return self._session.get(self.url + path, timeout=SECONDS_FOR_AN_ANSWER).json()
