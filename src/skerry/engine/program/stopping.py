"""`skerry down`: ends the engine, every container, containerd and the network of an instance; its state stays.

Works without the engine and after `kill -9` of anything; must run outside the instance's mount namespace.
"""

from __future__ import annotations

import asyncio

from skerry.engine.config import EngineConfig
from skerry.engine.network.host import remove_network
from skerry.engine.node.containerd.sweep import sweep
from skerry.engine.program.process import end_engine
from skerry.engine.storage.csi import kubelet_directory


def stop_all(config: EngineConfig) -> list[str]:
    """Take everything off the machine. Returns what could not be removed, one line each."""
    end_engine(config)
    left = sweep(config)
    kubelet_directory.release(config)
    asyncio.run(remove_network(config))
    return left
