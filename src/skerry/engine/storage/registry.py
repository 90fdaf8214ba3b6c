"""Which storage drivers there are now: the built-in ones from the start, third parties' while they are registered.

`program` makes one and hands it to everybody in this room; `csi` adds and removes. Invariants: one driver per name;
listeners are called on the event loop, after the change, and must be quick.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from skerry.engine.storage.contract import Driver

log = logging.getLogger(__name__)

Changed = Callable[[str], None]
"""Called with the name of a driver that came, was replaced, or went."""


class Drivers:
    """Drivers by name ("local.storage.skerry.dev")."""

    def __init__(self, built_in: Mapping[str, Driver] | None = None) -> None:
        self._drivers: dict[str, Driver] = dict(built_in or {})
        self._listeners: list[Changed] = []

    def get(self, name: str) -> Driver | None:
        """The driver of a name, None while there is none."""
        return self._drivers.get(name)

    def names(self) -> list[str]:
        """All names, in order."""
        return sorted(self._drivers)

    def add(self, name: str, driver: Driver) -> None:
        """Use a driver from now on, in the place of one that has its name."""
        self._drivers[name] = driver
        self._tell(name)

    def remove(self, name: str, driver: Driver | None = None) -> None:
        """Forget a driver; harmless when it is not there. With `driver`: unless another has taken its place."""
        known = self._drivers.get(name)
        if known is not None and driver in (None, known):
            del self._drivers[name]
            self._tell(name)

    def on_change(self, listener: Changed) -> None:
        """Call `listener` at every change from now on."""
        self._listeners.append(listener)

    def off_change(self, listener: Changed) -> None:
        """Do not call it again."""
        self._listeners.remove(listener)

    def _tell(self, name: str) -> None:
        for listener in list(self._listeners):
            try:
                listener(name)
            except Exception:
                log.exception("storage driver %s: a listener failed", name)
