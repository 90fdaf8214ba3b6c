"""The drivers that come with the engine. They cost a start nothing: what they need is opened at the first volume."""

from __future__ import annotations

from skerry.engine.config import EngineConfig
from skerry.engine.storage.contract import Driver


def built_in(config: EngineConfig) -> dict[str, Driver]:
    """All of them by name; making them touches nothing on disk. Their modules are imported here, not at the start."""
    from skerry.engine.storage.drivers.dataset import DatasetDriver
    from skerry.engine.storage.drivers.local.driver import LocalDriver
    from skerry.engine.storage.drivers.memory import MemoryDriver
    from skerry.engine.storage.drivers.remote.nfs import NfsDriver
    from skerry.engine.storage.drivers.remote.onedata import OnedataDriver
    from skerry.engine.storage.drivers.remote.s3 import S3Driver
    from skerry.engine.storage.drivers.remote.sshfs import SshfsDriver
    from skerry.engine.storage.drivers.remote.webdav import WebdavDriver

    paths, node = config.paths, config.node_name
    drivers: list[Driver] = [
        LocalDriver(paths.data / "storage" / "local", node),
        MemoryDriver(paths.data / "storage" / "memory", node),
        DatasetDriver((paths.data, paths.run), node),
        NfsDriver(config),
        OnedataDriver(),
        S3Driver(config),
        SshfsDriver(config),
        WebdavDriver(config),
    ]
    return {driver.name: driver for driver in drivers}
