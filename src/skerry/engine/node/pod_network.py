"""What the node agent tells of its pods' networks, and what it waits for: the contract with whoever guards them.

A pod is told of once it has an address and before anything of it runs, and again when it is given back; `ready` holds
back its containers until the rules for its address are in force. `program` gives the agent `network.policy`'s keeper.
"""

from __future__ import annotations

from typing import Protocol

from skerry.kube.objects import Obj


class PodNetwork(Protocol):
    """Whoever makes rules for pods' addresses."""

    def check(self, pod: Obj) -> None:
        """Raises PodProblem for a pod that asks of its network what cannot be."""

    def attached(self, pod: Obj, addresses: tuple[str, ...]) -> None:
        """The pod has these addresses from now on, the one of IPv4 first; there is at least one."""

    def detached(self, uid: str) -> None:
        """The pod has no addresses any more, if it had some."""

    async def ready(self, uid: str) -> None:
        """Returns when the rules for the pod are in force."""


class UnguardedNetwork:
    """For an agent without rules of any sort."""

    def check(self, pod: Obj) -> None:
        """Nothing is refused."""

    def attached(self, pod: Obj, addresses: tuple[str, ...]) -> None:
        """Nobody needs to know."""

    def detached(self, uid: str) -> None:
        """Nobody needs to know."""

    async def ready(self, uid: str) -> None:
        """At once."""
