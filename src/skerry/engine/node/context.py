"""What every part of the node agent works with, put together once by `agent`."""

from __future__ import annotations

import asyncio

from skerry.engine.config import EngineConfig
from skerry.engine.node.backoff import BackOff
from skerry.engine.node.cgroups import PodCgroups
from skerry.engine.node.cri.client import CriClient
from skerry.engine.node.objects import ObjectReader, ObjectWatch
from skerry.engine.node.pod_network import PodNetwork
from skerry.engine.node.pressure.watch import PressureWatch
from skerry.engine.node.probes.prober import Prober
from skerry.engine.node.pulling.puller import Puller
from skerry.engine.node.spec.dns import ClusterDns
from skerry.engine.node.spec.downward import NodeFacts
from skerry.engine.node.status.writer import StatusWriter
from skerry.engine.node.volumes.manager import VolumeManager
from skerry.kube.client import Client
from skerry.kube.events import Recorder
from skerry.kube.informer import Informer
from skerry.kube.records import record


@record
class Slots:
    """How many slow runtime calls of a sort are made at once: more only make each slower (docs/decisions)."""

    sandboxes: asyncio.Semaphore
    containers: asyncio.Semaphore
    stops: asyncio.Semaphore


@record
class NodeContext:
    """Shared by all pod workers. `machine_memory` in bytes."""

    config: EngineConfig
    client: Client
    cri: CriClient
    recorder: Recorder
    services: Informer
    pods: Informer
    reader: ObjectReader
    object_watch: ObjectWatch
    puller: Puller
    prober: Prober
    volumes: VolumeManager
    statuses: StatusWriter
    cgroups: PodCgroups
    crashes: BackOff
    node: NodeFacts
    machine_memory: int
    dns: ClusterDns
    pressure: PressureWatch
    slots: Slots
    network: PodNetwork
