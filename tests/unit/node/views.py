"""Pods and what is known of them, for tests of the pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from skerry.engine.node.pods.state import ContainerRecord, Phase, PodView, SandboxRecord, spec_hash
from skerry.kube.objects import Obj

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
SANDBOX = SandboxRecord("sandbox", 0, True, ("10.0.0.5",))


def container(name: str = "main", **more: Any) -> Obj:
    return {"name": name, "image": "app:1", **more}


def pod(*containers: Obj, init: list[Obj] | None = None, status: Obj | None = None, **spec: Any) -> Obj:
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "u1", "generation": 1},
        "spec": {"containers": list(containers) or [container()], "initContainers": init or [], **spec},
        "status": status or {},
    }


def record(name: str = "main", phase: Phase = Phase.RUNNING, attempt: int = 0, **more: Any) -> ContainerRecord:
    fields: dict[str, Any] = {
        "id": f"{name}-{attempt}",
        "sandbox_id": SANDBOX.id,
        "spec_hash": spec_hash(container(name)),
        "started": NOW - timedelta(seconds=60),
        "finished": NOW - timedelta(seconds=1) if phase is Phase.EXITED else None,
        "reason": {Phase.EXITED: "Completed"}.get(phase, ""),
    }
    return ContainerRecord(name=name, attempt=attempt, phase=phase, **{**fields, **more})


def exited(name: str = "main", code: int = 0, attempt: int = 0, **more: Any) -> ContainerRecord:
    reason = "Completed" if code == 0 else "Error"
    return record(name, Phase.EXITED, attempt, **{"exit_code": code, "reason": reason, **more})


def view(of: Obj, *records: ContainerRecord, **more: Any) -> PodView:
    containers: dict[str, tuple[ContainerRecord, ...]] = {}
    for each in sorted(records, key=lambda found: -found.attempt):
        containers[each.name] = (*containers.get(each.name, ()), each)
    known: dict[str, Any] = {"sandbox": SANDBOX, "volumes_ready": True, **more}
    return PodView(pod=of, now=NOW, steady=NOW, containers=containers, **known)
