"""Which pods on nodes use which claims: for claims that only one pod may use, and what a change of one concerns."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.engine.controllers.scheduler.templates import PodFacts
from skerry.engine.controllers.volumes.users import claims_of

_NOBODY: Mapping[str, str] = {}


class ClaimUsers:
    """Nodes by the uid of the pod, by claim ("namespace/name")."""

    def __init__(self) -> None:
        self._users: dict[str, dict[str, str]] = {}

    def put(self, facts: PodFacts, node: str) -> None:
        """The pod is on the node, or will be."""
        for claim in claims_of(facts.pod):
            self._users.setdefault(claim, {})[facts.uid] = node

    def take(self, facts: PodFacts) -> None:
        """Not any more."""
        for claim in claims_of(facts.pod):
            users = self._users.get(claim, {})
            users.pop(facts.uid, None)
            if not users:
                self._users.pop(claim, None)

    def of(self, claim: str) -> Mapping[str, str]:
        """Node by uid of the pod."""
        return self._users.get(claim, _NOBODY)
