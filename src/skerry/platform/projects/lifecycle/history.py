"""What happened to a project, and who did it: the last hundred lines in its status, and an event for each."""

from __future__ import annotations

from skerry.kube.clock import rfc3339
from skerry.kube.errors import Conflict
from skerry.kube.objects import Obj
from skerry.platform.base.capability import Context
from skerry.platform.projects.types import PROJECTS

_KEPT = 100


def with_line(project: Obj, line: Obj) -> list[Obj]:
    """The history with one more line."""
    before = (project.get("status") or {}).get("history") or []
    return [*before, line][-_KEPT:]


class Historian:
    """Writes it down. The same line twice in a row is one: who is killed between deed and word says it again."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._clock = context.clock
        self._recorder = context.recorder

    async def add(self, project: str, what: str, by: str = "") -> None:
        """One line more. Raises StatusError (NotFound when the project is gone)."""
        while True:
            there = await self._client.get(PROJECTS, project)
            last = ((there.get("status") or {}).get("history") or [{}])[-1]
            if (last.get("what"), last.get("by", "")) == (what, by):
                return
            line = {"time": rfc3339(self._clock.now()), "what": what, "by": by}
            status = {**(there.get("status") or {}), "history": with_line(there, line)}
            try:
                await self._client.update(PROJECTS, {**there, "status": status}, "status")
            except Conflict:
                continue  # somebody wrote meanwhile: on what they wrote
            self._recorder.event(there, "Normal", "Recorded", f"{what}{f' (by {by})' if by else ''}")
            return
