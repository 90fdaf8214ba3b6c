"""Makes the storage room of an instance: its drivers, and the control loops that answer claims with them.

Nothing is imported or made for volumes before there is a claim (`storage/waking.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from skerry.engine.config import EngineConfig
from skerry.engine.controllers.context import Context
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Driver
from skerry.engine.storage.driven import DrivenDrivers
from skerry.engine.storage.drivers.all import built_in
from skerry.engine.storage.registry import Drivers
from skerry.engine.storage.troubles import Troubles
from skerry.engine.storage.waking import StorageControllers
from skerry.kube.controller import Controller


class Storage(NamedTuple):
    """What is started with the controllers, and the drivers for whoever mounts."""

    controllers: Sequence[Controller]
    drivers: Drivers
    room: StorageContext


def make_storage(context: Context) -> Storage:
    """Connected to the shared caches, not yet started."""
    troubles = Troubles(context.informers, context.recorder)
    drivers = Drivers(load=partial(_drivers, context.config, troubles))
    room = StorageContext(
        config=context.config,
        clock=context.clock,
        informers=context.informers,
        recorder=context.recorder,
        identity=context.identity,
        drivers=DrivenDrivers(drivers),
    )
    controllers = StorageControllers(room)
    drivers.on_change(lambda _: controllers.look_again())
    return Storage([controllers], drivers, room)


def _drivers(config: EngineConfig, troubles: Troubles) -> Mapping[str, Driver]:
    """The built-in ones, whose troubles are told of."""
    drivers = built_in(config)
    for name, driver in drivers.items():
        driver.on_trouble(partial(troubles.tell, name))
    return drivers
