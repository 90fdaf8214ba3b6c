"""What replays of Kubernetes' conformance tests need of a client: verbs by resource name, watches, waiting.

The steps of those tests (kubernetes/kubernetes, `test/e2e`) are paraphrased beside the tests that use this. Every call
goes over TLS like theirs. Neighbour: `raw_api.py`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support.raw_api import RawApi
from tests.support.waiting import LIMIT

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
_GROUPS = {
    "apps/v1": "deployments replicasets statefulsets daemonsets controllerrevisions",
    "batch/v1": "jobs cronjobs",
    "policy/v1": "poddisruptionbudgets",
    "discovery.k8s.io/v1": "endpointslices",
    "node.k8s.io/v1": "runtimeclasses",
    "networking.k8s.io/v1": "ingresses ingressclasses networkpolicies ipaddresses servicecidrs",
    "storage.k8s.io/v1": """storageclasses csidrivers csinodes volumeattachments csistoragecapacities
        volumeattributesclasses""",
    "coordination.k8s.io/v1": "leases",
    "events.k8s.io/v1": "newevents",
    "scheduling.k8s.io/v1": "priorityclasses",
}
_PREFIX = {name: f"/apis/{group}" for group, names in _GROUPS.items() for name in names.split()}


class Refused(Exception):
    """An answer that is no success; `code` and `status` as the API gave them."""

    def __init__(self, code: int, status: Any) -> None:
        super().__init__(f"{code}: {status}")
        self.code, self.status = code, status


class Replay:
    """Calls in one namespace ("" for the whole cluster)."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self.raw, self.namespace, self.kubeconfig = RawApi(kubeconfig), namespace, kubeconfig

    def path(self, resource: str, name: str = "", sub: str = "", *, everywhere: bool = False, **query: str) -> str:
        """`resource` is the plural; cluster-scoped ones are asked for with an empty namespace."""
        where = f"/namespaces/{self.namespace}" if self.namespace and not everywhere else ""
        end = "".join(f"/{part}" for part in (name, sub) if part)
        return f"{_PREFIX.get(resource, '/api/v1')}{where}/{resource}{end}" + (f"?{urlencode(query)}" if query else "")

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The parsed answer. Raises Refused."""
        code, answer = self.raw.call(method, path, body, kind)
        if code >= 300:
            raise Refused(code, answer)
        return answer

    def create(self, resource: str, body: Any, sub: str = "", name: str = "", **query: str) -> Any:
        return self.ask("POST", self.path(resource, name, sub, **query), body)

    def get(self, resource: str, name: str, sub: str = "") -> Any:
        return self.ask("GET", self.path(resource, name, sub))

    def list(self, resource: str, *, everywhere: bool = False, **query: str) -> Any:
        return self.ask("GET", self.path(resource, everywhere=everywhere, **query))

    def update(self, resource: str, body: Any, sub: str = "") -> Any:
        return self.ask("PUT", self.path(resource, body["metadata"]["name"], sub), body)

    def change(self, resource: str, name: str, how: Callable[[Any], object], sub: str = "") -> Any:
        """Read, change, write; anew when somebody else wrote in between, as the tests upstream do."""
        while True:
            now = self.get(resource, name, sub)
            how(now)
            try:
                return self.update(resource, now, sub)
            except Refused as refused:
                if refused.code != 409:
                    raise

    def patch(self, resource: str, name: str, body: Any, sub: str = "", kind: str = STRATEGIC) -> Any:
        return self.ask("PATCH", self.path(resource, name, sub), body, kind)

    def delete(self, resource: str, name: str, options: Any = None) -> Any:
        return self.ask("DELETE", self.path(resource, name), options)

    def delete_collection(self, resource: str, options: Any = None, **query: str) -> Any:
        return self.ask("DELETE", self.path(resource, **query), options)

    def close(self) -> None:
        self.raw.close()

    @contextlib.contextmanager
    def watching(self, resource: str, version: str = "", **query: str) -> Iterator[Watching]:
        """Events from `version` on."""
        extra = {"resourceVersion": version} if version else {}
        connection = self.raw.open()
        try:
            path = self.path(resource, watch="true", timeoutSeconds="600", **extra, **query)
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != 200:
                raise Refused(answer.status, answer.read())
            yield Watching(answer, connection)
        finally:
            connection.close()


class Watching:
    """An open watch."""

    def __init__(self, answer: http.client.HTTPResponse, connection: http.client.HTTPSConnection) -> None:
        self._answer, self._connection = answer, connection

    def until(self, kind: str, condition: Callable[[Any], object] = lambda obj: True, seconds: float = LIMIT) -> Any:
        """The object of the first event of `kind` for which `condition` holds."""
        sock = self._connection.sock
        guard = threading.Timer(seconds, lambda: sock and sock.shutdown(2))
        guard.start()
        seen = []
        try:
            for line in self._answer:
                event = json.loads(line)
                seen.append((event["type"], event["object"].get("status")))
                if event["type"] == kind and condition(event["object"]):
                    return event["object"]
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise AssertionError(f"no {kind} event that fits within {seconds} s; seen: {seen}") from error
        finally:
            guard.cancel()
        raise AssertionError(f"the watch ended; seen: {seen}")
