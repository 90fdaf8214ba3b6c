"""The store without durability: for tests and for trying things out. Held to the same contract tests as SQLite's.

A commit happens at the end of the loop's turn in which the writes were ordered, so pending writes exist here too.
"""

from __future__ import annotations

from skerry.engine.store.contract import Key
from skerry.engine.store.history import History
from skerry.engine.store.limits import Limits
from skerry.engine.store.ordered import FIRST_REVISION, OrderedStore, Write
from skerry.engine.store.reserve import WriteType
from skerry.engine.store.state import State


class MemoryStore(OrderedStore):
    """Objects in this process only. Made on the event loop it is used on."""

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        super().__init__(limits, State(), History(limits, FIRST_REVISION), FIRST_REVISION)

    def _hand_over(self, writes: list[Write]) -> None:
        self._committed(writes)

    async def _admit(self, kind: WriteType, key: Key) -> None:
        """There is never trouble."""

    def _superseded(self, revisions: list[int]) -> None:
        """They are garbage already."""

    async def _release(self) -> None:
        """Nothing is held."""
