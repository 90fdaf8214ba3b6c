"""Makes what drivers of third parties need: their registration at this node, and the attaching of their volumes.

`kubelet` acts as the node. The paths that charts know are mounted only by an engine that is inside the instance's mount
namespace, as `skerry up` starts it.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.config import EngineConfig
from skerry.engine.node.containerd import mount_namespace
from skerry.engine.program.storage import Storage
from skerry.engine.storage.csi import kubelet_directory
from skerry.engine.storage.csi.attaching.waking import Attaching
from skerry.engine.storage.csi.registration.controller import Registration
from skerry.kube.client import Client
from skerry.kube.controller import Controller


def prepare_paths(config: EngineConfig) -> kubelet_directory.KubeletDirectory:
    """Before anything is mounted for pods."""
    inside = mount_namespace.inside(config.paths)
    return kubelet_directory.prepare(config) if inside else kubelet_directory.directories(config)


def make_csi(storage: Storage, kubelet: Client, directory: kubelet_directory.KubeletDirectory) -> Sequence[Controller]:
    """Not yet started."""
    room, drivers = storage.room, storage.drivers
    registration = Registration(room.config.node_name, kubelet, room.informers, drivers, directory)
    return registration, Attaching(room, drivers)
