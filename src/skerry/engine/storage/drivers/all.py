"""The drivers that come with the engine. They cost a start nothing: what they need is opened at the first volume."""

from __future__ import annotations

from skerry.engine.config import EngineConfig
from skerry.engine.storage.contract import Driver


def built_in(config: EngineConfig) -> dict[str, Driver]:
    """All of them by name; making them touches nothing on disk. Their modules are imported here, not at the start."""
    from skerry.engine.storage.drivers.local.driver import LocalDriver

    drivers: list[Driver] = [LocalDriver(config.paths.data / "storage" / "local", config.node_name)]
    return {driver.name: driver for driver in drivers}
