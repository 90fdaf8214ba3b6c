"""What happened to a project, and who did it: the last hundred lines in its status, and an event for each."""

from __future__ import annotations

from skerry.kube.clock import rfc3339
from skerry.kube.errors import Conflict
from skerry.kube.objects import Obj
from skerry.platform.base.capability import Context
from skerry.platform.projects.types import PROJECTS

_KEPT = 100


def with_line(history: list[Obj], line: Obj) -> list[Obj]:
    """The history with one more line."""
    return [*history, line][-_KEPT:]


class Historian:
    """Writes it down. The same line is written once: who is killed between deed and word says it again."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._clock = context.clock
        self._recorder = context.recorder

    async def add(self, project: str, what: str, by: str = "") -> None:
        """One line more. Raises StatusError (NotFound when the project is gone)."""
        while True:
            there = await self._client.get(PROJECTS, project)
            history = (there.get("status") or {}).get("history") or []
            if any((one["what"], one.get("by", "")) == (what, by) for one in history):
                return
            line = {"time": rfc3339(self._clock.now()), "what": what, "by": by}
            status = {**(there.get("status") or {}), "history": with_line(history, line)}
            try:
                await self._client.update(PROJECTS, {**there, "status": status}, "status")
            except Conflict:
                continue  # somebody wrote meanwhile: on what they wrote
            self._recorder.event(there, "Normal", "Recorded", f"{what}{f' (by {by})' if by else ''}")
            return
