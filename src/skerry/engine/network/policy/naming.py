"""The names of maps and sets in the policies' table. One that there is for each IP family ends its first word by 6."""

from __future__ import annotations

from skerry.engine.network.family import IPV4, Family
from skerry.engine.network.policy.parties import NamedPort


def of_family(name: str, family: Family) -> str:
    """The one of a family."""
    return name if family.name == IPV4 else f"{name}6"


def peers_set(key: str, family: Family) -> str:
    """The set of pods that a selection means."""
    return f"{of_family('peers', family)}/{key}"


def port_set(port: NamedPort, family: Family) -> str:
    """The set of pods that have this port under this name."""
    return f"{of_family('port', family)}/{port.protocol}/{port.name}/{port.number}"
