"""Tells those who ask for hosts that they cannot have: one event for each, when it becomes so.

Out-of-domain hosts, hosts that somebody else has, annotations that mean nothing here. Only the DNS record is refused;
what the Ingress routes is not touched.
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.dynamic_dns.claims import assign
from skerry.engine.controllers.dynamic_dns.hosts import Refusal
from skerry.engine.controllers.dynamic_dns.watching import Watching
from skerry.kube.controller import Controller

_ALL = "all"
_COLLECT = 0.1  # seconds; changes come in groups


class HostRefusals(Controller):
    """There is one key: whether a host can be had depends on all others."""

    name = "dns-hosts"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._recorder = context.recorder.named("domain-controller")
        self._watching = Watching(context, self._look)
        self._watching.domains.add_handler(lambda delta: self._look())
        self._told: set[Refusal] = set()

    def _look(self) -> None:
        self.queue.add_after(_ALL, _COLLECT)

    async def reconcile(self, key: str) -> float | None:
        """Say what is new."""
        situation, objections = self._watching.situation()
        refusals = [*objections, *assign(situation).refused] if situation.domains else []
        for refusal in refusals:
            if refusal not in self._told and (obj := self._watching.source(refusal.source)) is not None:
                self._recorder.event(obj, "Warning", refusal.reason, refusal.message)
        self._told = set(refusals)
        return None
