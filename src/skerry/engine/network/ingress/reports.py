"""What Ingresses say about themselves: the address in their status, and events for people.

`status.loadBalancer` is that of the Service `kube-system/ingress`. An event is recorded when what it says is new:
`Sync` when an Ingress is served, a warning for each thing about it that does not work.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from skerry.engine.network.ingress.annotations import Problem
from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.events import Recorder
from skerry.kube.objects import Obj, key_of, name_of, namespace_of, uid_of
from skerry.kube.resources import INGRESSES

log = logging.getLogger(__name__)


class Reports:
    """Writes status and events of Ingresses."""

    def __init__(self, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._said: dict[str, set[Problem]] = {}
        self._synced: dict[str, int] = {}

    async def served(self, ingress: Obj, addresses: Sequence[Obj], problems: Sequence[Problem]) -> None:
        """The routes of an Ingress are what they should be, but for these problems."""
        self._tell(ingress, problems)
        generation = ingress["metadata"].get("generation", 0)
        if self._synced.get(uid_of(ingress)) != generation:
            self._synced[uid_of(ingress)] = generation
            self._recorder.event(ingress, "Normal", "Sync", "The routes of this Ingress are served")
        await self._write(ingress, addresses)

    async def released(self, ingress: Obj) -> None:
        """An Ingress is not ours any more, or never was: the address we gave it is taken away."""
        if self._said.pop(uid_of(ingress), None) is not None or uid_of(ingress) in self._synced:
            self._synced.pop(uid_of(ingress), None)
            await self._write(ingress, ())

    def forget(self, ingress: Obj) -> None:
        """It is gone."""
        self._said.pop(uid_of(ingress), None)
        self._synced.pop(uid_of(ingress), None)

    def _tell(self, ingress: Obj, problems: Sequence[Problem]) -> None:
        before = self._said.get(uid_of(ingress), set())
        for problem in problems:
            if problem not in before:
                self._recorder.event(ingress, "Warning", problem.reason, problem.message)
        self._said[uid_of(ingress)] = set(problems)

    async def _write(self, ingress: Obj, addresses: Sequence[Obj]) -> None:
        current = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        if [{name: one[name] for name in ("ip", "hostname") if name in one} for one in current] == list(addresses):
            return
        patch = {"status": {"loadBalancer": {"ingress": list(addresses) or None}}}
        try:
            await self._client.patch(INGRESSES, name_of(ingress), patch, namespace_of(ingress), subresource="status")
        except NotFound:
            log.debug("Ingress %s went away before its status was written", key_of(ingress))
