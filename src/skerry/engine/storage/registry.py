"""Which storage drivers there are now: the built-in ones from the start, third parties' while they are registered.

`program` makes one and hands it to everybody in this room; `csi` adds and removes. The built-in ones are loaded when
somebody asks for the first of them, because their modules take longer than a start has. Invariants: one driver per
name; listeners are called on the event loop, after the change, and must be quick.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from skerry.engine.storage.contract import Driver

log = logging.getLogger(__name__)

Changed = Callable[[str], None]
"""Called with the name of a driver that came, was replaced, or went."""


DOMAIN = ".storage.skerry.dev"
"""What the names of all built-in drivers end with."""


class BuiltInDrivers:
    """Made once, at the first question."""

    def __init__(self, load: Callable[[], Mapping[str, Driver]]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._drivers: Mapping[str, Driver] | None = None

    def get(self, name: str) -> Driver | None:
        """The driver of a name."""
        return self.load().get(name) if name.endswith(DOMAIN) else None

    def names(self) -> list[str]:
        """All names, in order."""
        return sorted(self.load())

    def load(self) -> Mapping[str, Driver]:
        """All of them by name. May be called in a thread."""
        with self._lock:
            if self._drivers is None:
                self._drivers = self._load()
            return self._drivers

    async def close(self) -> None:
        """Close those that were loaded."""
        for driver in (self._drivers or {}).values():
            await driver.close()


class Drivers:
    """Drivers by name ("local.storage.skerry.dev")."""

    def __init__(
        self, built_in: Mapping[str, Driver] | None = None, load: Callable[[], Mapping[str, Driver]] | None = None
    ) -> None:
        """`load`: makes the built-in ones, when the first is needed; else they are `built_in`."""
        self._drivers: dict[str, Driver] = dict(built_in or {})
        self._built_in = BuiltInDrivers(load or dict)
        self._listeners: list[Changed] = []

    def get(self, name: str) -> Driver | None:
        """The driver of a name, None while there is none."""
        return self._drivers.get(name) or self._built_in.get(name)

    def names(self) -> list[str]:
        """All names, in order."""
        return sorted({*self._drivers, *self._built_in.names()})

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

    async def close(self) -> None:
        """Close the built-in ones; third parties' are closed by who registered them."""
        await self._built_in.close()

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
