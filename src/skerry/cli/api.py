"""A few plain requests to the instance's API, as its administrator. No event loop, no heavy client."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from skerry.kube.conditions import condition_is_true
from skerry.kube.kubeconfig import KubeconfigError, load_kubeconfig

_TIMEOUT = 5.0  # seconds


class Api:
    """One connection. Raises OSError when the API does not answer."""

    def __init__(self, kubeconfig: Path) -> None:
        try:
            connection = load_kubeconfig(kubeconfig)
            context = connection.ssl_context()
        except KubeconfigError as error:
            raise OSError(str(error)) from error
        where = urlsplit(connection.server)
        self._http = http.client.HTTPSConnection(where.hostname or "", where.port, timeout=_TIMEOUT, context=context)

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def get(self, path: str) -> tuple[int, str]:
        """Status code and body."""
        try:
            self._http.request("GET", path)
            answer = self._http.getresponse()
            return answer.status, answer.read().decode()
        except http.client.HTTPException as error:
            raise OSError(f"the API answered with something else than HTTP: {error}") from error

    def get_object(self, path: str) -> dict[str, Any] | None:
        """A JSON answer; None for anything but 200."""
        code, text = self.get(path)
        document = json.loads(text) if code == http.client.OK else None
        return document if isinstance(document, dict) else None


def node_is_ready(node: dict[str, Any] | None) -> bool:
    """Whether the node's Ready condition is True."""
    return condition_is_true(node or {}, "Ready")
