"""Asking a network who has some addresses, the same by ARP and by NDP: a few times, with a pause to be answered.

Neighbours: `arp` and `ndp`, which know what is sent and how an answer is read.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection

_TRIES, _BETWEEN, _PATIENCE = 3, 0.15, 0.3
"""How often is asked, seconds between, and seconds to wait after the last."""

Ask = Callable[[str], object]
"""Sends one question about an address."""
Hear = Callable[[], tuple[str, str] | None]
"""Reads one message that is there: an address and whose it is said to be; None if it says nothing of the kind."""


async def answers(
    link: socket.socket, ask: Ask, hear: Hear, addresses: Collection[str], own: Collection[str]
) -> dict[str, str]:
    """Which of the addresses somebody else than `own` (hardware addresses) answers for, and who. Takes as long as the
    patience. Raises OSError."""
    found: dict[str, str] = {}
    loop = asyncio.get_running_loop()

    def heard() -> None:
        said = hear()
        if said is not None and said[0] in addresses and said[1] not in own:
            found[said[0]] = said[1]

    loop.add_reader(link, heard)
    try:
        for _ in range(_TRIES):
            for address in addresses:
                ask(address)
            await asyncio.sleep(_BETWEEN)  # what we wait for is that nobody answers
        await asyncio.sleep(_PATIENCE)
    finally:
        loop.remove_reader(link)
    return found
