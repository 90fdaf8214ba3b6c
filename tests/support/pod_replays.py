"""Pods of one module in one namespace of a real instance: made together, looked at one by one, deleted together."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

from tests.support.images import BUSYBOX
from tests.support.program import Program, eventually

_ALL_STARTED = 240.0
"""Seconds; a module's pods start together, dozens of them."""


def container(script: str, name: str = "main", **more: Any) -> Any:
    """One that runs `script` in a shell."""
    return {"name": name, "image": BUSYBOX, "command": ["sh", "-c", script], **more}


class PodReplays:
    """`namespace` of `program`."""

    def __init__(self, program: Program, namespace: str) -> None:
        self.program, self.namespace = program, namespace

    def kubectl(self, *words: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return self.program.kubectl("-n", self.namespace, *words, check=check, stdin=stdin)

    def apply(self, *objects: Any) -> None:
        """Create or change."""
        whole = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(whole))

    def create(self, specs: dict[str, Any], **metadata: Any) -> None:
        """Pods by name, from their specs."""
        self.apply(*(pod(name, spec, **metadata) for name, spec in specs.items()))

    def get(self, name: str, resource: str = "pod") -> Any:
        return self.program.get("-n", self.namespace, f"{resource}/{name}")

    def listed(self, resource: str, selector: str) -> list[Any]:
        """By labels."""
        return list(self.program.get("-n", self.namespace, resource, "-l", selector)["items"])

    def status(self, name: str) -> Any:
        return self.get(name)["status"]

    def main(self, name: str, number: int = 0) -> Any:
        """The status of the pod's first container."""
        return self.status(name)["containerStatuses"][number]

    def condition(self, name: str, type_: str) -> Any:
        """{} as long as there is none."""
        return next((one for one in self.status(name).get("conditions", ()) if one["type"] == type_), {})

    def logs(self, name: str, *words: str) -> str:
        return self.kubectl("logs", name, *words).stdout

    def ended(self, name: str, seconds: float = _ALL_STARTED) -> Any:
        """The status of a pod that has come to its end."""
        eventually(lambda: self.status(name)["phase"] in ("Succeeded", "Failed"), f"the end of {name}", seconds)
        return self.status(name)

    def running(self, name: str, seconds: float = _ALL_STARTED) -> Any:
        eventually(lambda: self.status(name)["phase"] == "Running", f"{name} to run", seconds)
        return self.status(name)


def pod(name: str, spec: Any, **metadata: Any) -> Any:
    spec = {"terminationGracePeriodSeconds": 0, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


@contextlib.contextmanager
def pod_replays(program: Program, namespace: str) -> Iterator[PodReplays]:
    """A namespace for as long as the `with` lasts."""
    program.kubectl("create", "namespace", namespace)
    try:
        yield PodReplays(program, namespace)
    finally:
        program.kubectl("delete", "namespace", namespace, "--wait=false")
