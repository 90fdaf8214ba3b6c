"""The drivers whose controller side is the engine's: those that come with it, and of third parties' those whose
CSIDriver object says so. The sidecars of a chart do it for the others.

A view of `registry.Drivers` for the control loops that make, delete, expand and snapshot volumes.
"""

from __future__ import annotations

from skerry.engine.storage.contract import Ability, Driver
from skerry.engine.storage.registry import DOMAIN, Drivers


class DrivenDrivers:
    """By name, as long as they are there."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def get(self, name: str) -> Driver | None:
        """A driver that the engine makes volumes with."""
        driver = self._drivers.get(name)
        if driver is None or name.endswith(DOMAIN):
            return driver
        return driver if Ability.PROVISION in driver.abilities else None

    def names(self) -> list[str]:
        """All of them, in order."""
        return [name for name in self._drivers.names() if self.get(name) is not None]
