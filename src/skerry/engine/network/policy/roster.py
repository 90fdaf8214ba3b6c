"""The pods that have an address now, from what the node agent tells; their labels from what the API tells.

The agent's word counts for addresses: it comes before a pod's first container and ends with its sandbox, while the
status in the API comes later and stays after the address is given back. So a pod that was deleted by force stays under
its policies until it is really gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from skerry.engine.network.policy.parties import Party, party_of
from skerry.kube.objects import Obj, uid_of


@dataclass(frozen=True, slots=True)
class Attached:
    """A pod with its address, and the host's end of its interface ("" when it is not found)."""

    party: Party
    link: str
    ticket: int
    """Counts attachments."""


class Roster:
    """`link_to`: the interface behind which an IPv4 address is, "" for none."""

    def __init__(self, link_to: Callable[[str], str]) -> None:
        self._link_to = link_to
        self._attached: dict[str, Attached] = {}
        self._holders: dict[str, str] = {}
        """The uid of the pod that has an address: the one that got it last."""
        self.tickets = 0

    def attach(self, pod: Obj, addresses: tuple[str, ...]) -> None:
        """The pod has these addresses, and nobody else."""
        uid = uid_of(pod)
        for holder in (uid, *(self._holders.get(one, "") for one in addresses)):
            self.detach(holder)
        self.tickets += 1
        self._holders |= dict.fromkeys(addresses, uid)
        self._attached[uid] = Attached(party_of(pod, addresses), self._link_to(addresses[0]), self.tickets)

    def detach(self, uid: str) -> bool:
        """The pod has none any more; False when it had none."""
        gone = self._attached.pop(uid, None)
        for address in gone.party.addresses if gone is not None else ():
            self._holders.pop(address, None)
        return gone is not None

    def update(self, pod: Obj) -> bool:
        """The pod as the API has it now; False when that changes nothing here."""
        uid = uid_of(pod)
        known = self._attached.get(uid)
        party = party_of(pod, known.party.addresses) if known is not None else None
        if known is None or party is None or party == known.party:
            return False
        self._attached[uid] = Attached(party, known.link, known.ticket)
        return True

    def ticket(self, uid: str) -> int:
        """The number of the pod's attachment, 0 when it has no address."""
        known = self._attached.get(uid)
        return known.ticket if known is not None else 0

    def parties(self) -> list[Party]:
        """All of them."""
        return [one.party for one in self._attached.values()]

    def links(self) -> frozenset[str]:
        """The host's ends of their interfaces."""
        return frozenset(one.link for one in self._attached.values() if one.link)
