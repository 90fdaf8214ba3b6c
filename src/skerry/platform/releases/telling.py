"""What a release's status says: the one place where it is written.

Carrying out a release takes minutes in which people change it: a status is always written on the newest state, and says
of which generation it speaks.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from skerry.kube.clock import rfc3339
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, key_of, name_of, namespace_of
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, write_status
from skerry.platform.releases.helm.storage import HelmRevision
from skerry.platform.releases.types import RELEASES, Phase

_TRIES = 5
_BACK = re.compile(r"Rollback to ([0-9]{1,9})")
_UPSTREAM = re.compile(r"(\S{1,200}@)?sha(1|256):[0-9a-f]{40,64}")
"""As `supplying.getting` of the capability `catalog` makes it."""
_LONGEST = 8 * 1024
"""Characters of notes and messages that are kept."""


class Teller:
    """Writes statuses."""

    def __init__(self, context: Context, releases: Informer) -> None:
        self._client, self._clock, self._releases = context.client, context.clock, releases
        self._events = context.recorder.named("releases")

    async def tell(self, release: Obj, phase: Phase, ready: Condition, **fields: Any) -> None:
        """Of the generation that `release` is. Raises StatusError, OSError."""
        current = self._releases.get(name_of(release), namespace_of(release)) or release
        short = Condition(ready.type, ready.is_true, ready.reason, ready.message[:_LONGEST])
        for _ in range(_TRIES):
            metadata = {**current["metadata"], "generation": release["metadata"].get("generation", 1)}
            speaking = {**current, "metadata": metadata}
            try:
                await write_status(self._client, self._clock, RELEASES, speaking, (short,), phase=phase, **fields)
            except Conflict:
                current = await self._client.get(RELEASES, name_of(release), namespace_of(release))
                continue
            return
        raise _busy(release)

    async def note(self, release: Obj, **fields: Any) -> None:
        """Something beside the condition, which stays. Raises StatusError, OSError."""
        current = self._releases.get(name_of(release), namespace_of(release)) or release
        for _ in range(_TRIES):
            status = {**(current.get("status") or {}), **fields}
            if status == current.get("status"):
                return
            try:
                await self._client.update(RELEASES, {**current, "status": status}, "status")
            except Conflict:
                current = await self._client.get(RELEASES, name_of(release), namespace_of(release))
                continue
            return
        raise _busy(release)

    def now(self) -> str:
        """As the API writes it."""
        return rfc3339(self._clock.now())

    async def unready(self, release: Obj, phase: Phase, reason: str, message: str, **fields: Any) -> None:
        """Why it does not go on."""
        with contextlib.suppress(NotFound):
            await self.tell(release, phase, Condition("Ready", False, reason, message), step="", **fields)

    async def progress(self, release: Obj, phase: Phase, step: str) -> None:
        """What is being done."""
        with contextlib.suppress(NotFound):
            await self.tell(release, phase, Condition("Ready", False, "Progressing", step), step=step)

    def event(self, release: Obj, reason: str, message: str, *, warning: bool = False) -> None:
        """For `kubectl describe` and the history that people read."""
        self._events.event(release, "Warning" if warning else "Normal", reason, message)


def history_of(revisions: Sequence[HelmRevision]) -> list[Obj]:
    """For `status.history`."""
    return [
        {
            "revision": one.revision,
            "chart": one.chart,
            "appVersion": one.app_version,
            "status": one.status,
            "description": one.description[:500],
            **({"deployed": moment} if (moment := _moment(one.deployed)) else {}),
        }
        for one in revisions
    ]


def facts_of(revision: HelmRevision, revisions: Sequence[HelmRevision]) -> dict[str, Any]:
    """Of what runs, for the status. `revisions`: all that are kept."""
    return {
        "sourceRevision": source_revision_of(revision, revisions),
        "revision": revision.revision,
        "chart": revision.chart,
        "appVersion": revision.app_version,
        "notes": revision.notes[:_LONGEST],
    }


def source_revision_of(revision: HelmRevision, revisions: Sequence[HelmRevision]) -> str:
    """Upstream's revision, which Helm was told as description; also of one that a rollback has brought back."""
    known = {one.revision: one for one in revisions}
    for _ in revisions:
        back = _BACK.fullmatch(revision.description)
        if back is None or int(back[1]) not in known:
            break
        revision = known[int(back[1])]
    return revision.description if _UPSTREAM.fullmatch(revision.description) else ""


def _busy(release: Obj) -> Conflict:
    """Nothing is lost: what is to be told is found out and told again."""
    return Conflict(f"others write the status of release {key_of(release)} all the time")


def _moment(text: str) -> str:
    try:
        return rfc3339(datetime.fromisoformat(text))
    except ValueError:
        return ""
