"""What operators allow catalogues to reach: the ConfigMap `catalog` in `skerry-system`, read when it is needed.

`directories`: paths on the platform's machine, one a line, below which catalogues of type Directory (and repositories
of git at `file://`) may be; the shipped charts always are. `addresses`: hosts' addresses and networks, one a line, that
catalogues outside `skerry-catalogs` may ask although they are no public ones.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeAlias

from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.records import record
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.base.capability import NAMESPACE
from skerry.platform.catalog.installed import shipped_charts

NAME = "catalog"
Network: TypeAlias = IPv4Network | IPv6Network


@record
class Allowed:
    """What the settings say."""

    directories: tuple[Path, ...]
    networks: tuple[Network, ...]

    def has_directory(self, path: Path) -> bool:
        """Whether this is below one of them, wherever links lead."""
        real = path.resolve()
        return any(real.is_relative_to(one.resolve()) for one in self.directories)


async def allowed(client: Client) -> Allowed:
    """As it is now. Raises StatusError, OSError."""
    try:
        data = (await client.get(CONFIG_MAPS, NAME, NAMESPACE)).get("data") or {}
    except NotFound:
        data = {}
    paths = [Path(line) for line in _lines(data.get("directories", "")) if line.startswith("/")]
    return Allowed((shipped_charts(), *paths), tuple(_networks(data.get("addresses", ""))))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _networks(text: str) -> list[Network]:
    """What is no network allows nothing."""
    found = []
    for line in _lines(text):
        try:
            found.append(ip_network(line, strict=False))
        except ValueError:
            continue
    return found
