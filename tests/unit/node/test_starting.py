"""Starting a container that ends before anybody has looked at it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from skerry.engine.node.backoff import BackOff
from skerry.engine.node.pods.containers import Containers
from skerry.engine.node.pods.knowledge import Knowledge
from skerry.engine.node.pods.plan import Plan, Start, plan
from skerry.engine.node.pods.starter import message_file
from tests.unit.node.views import NOW, SANDBOX, container, exited, pod


class Starts:
    """A starter and an observer: containers leave their last words and have ended when they are first seen."""

    def __init__(self, context: Any, words: str) -> None:
        self._context, self._words = context, words

    async def start(self, job: Any) -> str:
        file = message_file(self._context, "u1", "main", job.start.attempt)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._words)
        return f"main-{job.start.attempt}"

    async def container(self, container_id: str, sandbox_id: str) -> Any:
        return exited(code=7, attempt=int(container_id.rpartition("-")[2]))


async def test_the_end_of_a_short_life_is_noted_like_any_other(tmp_path: Path) -> None:
    clock = SimpleNamespace(now=lambda: NOW, steady=lambda: NOW)
    told: list[str] = []
    context: Any = SimpleNamespace(
        config=SimpleNamespace(clock=clock, paths=SimpleNamespace(pod_logs=tmp_path / "logs")),
        volumes=SimpleNamespace(pod_directory=lambda uid: tmp_path / uid, holds=lambda uid: False),
        crashes=BackOff(),
        prober=SimpleNamespace(remove=lambda container_id: None, state=lambda container_id: None),
        recorder=SimpleNamespace(event=lambda *what: told.append(what[2])),
        node=SimpleNamespace(ip="127.0.0.1"),
        cri=None,
    )
    known = Knowledge(context, pod(container()))
    known.sandbox, known.volumes = SANDBOX, {}
    containers = Containers(context, known, lambda: None, lambda container_id: None)
    containers._starter = containers._observer = Starts(context, "why")  # type: ignore[assignment]
    assert await containers.start(Start("main", 0))
    (first,) = known.containers["main"]
    assert (first.exit_code, first.message) == (7, "why")
    assert plan(known.view()).actions == (Start("main", 1),)
    assert await containers.start(Start("main", 1))
    assert known.waits["main"].reason == "CrashLoopBackOff"
    waiting = plan(known.view())
    assert isinstance(waiting, Plan)
    assert waiting.actions == ()
    assert waiting.again_at is not None
    assert waiting.again_at > NOW + timedelta(seconds=5)
    assert told == ["BackOff"]
