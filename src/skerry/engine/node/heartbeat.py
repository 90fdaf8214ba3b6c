"""Keeps the Node object and its lease current: registered at the start, the lease every 10 s, the status every 5 min or
when it changed.

Source of the behaviour: the kubelet's `kubelet_node_status.go` and client-go's lease controller. Labels, taints,
`unschedulable`, resources and conditions that others set stay untouched; what others make of ours is put right.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from skerry.engine.config import EngineConfig
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.machine import Machine
from skerry.engine.node.node_object import NodeState, RuntimeFacts, differs, labels, node_object, node_status
from skerry.engine.node.pressure.watch import PressureWatch
from skerry.kube.client import Client
from skerry.kube.clock import rfc3339_micro
from skerry.kube.errors import AlreadyExists, NotFound, StatusError
from skerry.kube.objects import Obj, labels_of
from skerry.kube.records import record
from skerry.kube.resources import LEASES, NAMESPACES, NODES

log = logging.getLogger(__name__)

LEASE_NAMESPACE = "kube-node-lease"
KUBERNETES_VERSION = "v1.36.0"
_LEASE_SECONDS, _RENEW_SECONDS, _STATUS_SECONDS = 40, 10.0, 300.0
_EARLY_SECONDS = 0.5  # timers are never exact: a renewal due this soon is done now
_NOT_READY_SECONDS = 0.1  # how soon a runtime that is not ready is asked again


@record
class Measures:
    """What there is to tell of, besides the runtime. `store_trouble`: as in `Runtime`."""

    machine: Machine
    pressure: PressureWatch
    store_trouble: Callable[[], str]
    volumes_in_use: Callable[[], list[str]] = list


class Heartbeat:
    """One node. `start` returns when the node is registered with its first status."""

    def __init__(self, config: EngineConfig, client: Client, cri: CriClient, measures: Measures) -> None:
        self._measures = measures
        self._config = config
        self._client = client
        self._cri = cri
        self._written_at = 0.0
        self._lease_known = False
        self._renew_at = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Obj:
        """Register and keep up; the node. Raises StatusError when the API does not take the node."""
        state = await self._state()
        node = await self._register(state)
        await self._write_status(state, node.get("status") or {})
        self._task = asyncio.create_task(self._run(), name="node heartbeat")
        return node

    async def close(self) -> None:
        """Stop; the node stays as it is and becomes unknown when its lease runs out."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def check_now(self) -> None:
        """Something happened to the runtime: look at once."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            ready = False
            try:
                await self._renew_when_due()
                ready = await self._update_status()
            except (StatusError, OSError) as error:
                log.warning("node heartbeat: %s", error)
            try:
                async with asyncio.timeout(_RENEW_SECONDS if ready else _NOT_READY_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def _state(self) -> NodeState:
        self._measures.pressure.look()
        return NodeState(
            name=self._config.node_name,
            machine=self._measures.machine,
            runtime=await self._runtime(),
            pod_cidrs=self._config.pod_cidrs,
            ip6=self._config.node_ip6,
            version=KUBERNETES_VERSION,
            now=self._config.clock.now(),
            held=self._measures.pressure.held,
            store_trouble=self._measures.store_trouble(),
            images=await self._images(),
            volumes_in_use=self._measures.volumes_in_use(),
        )

    async def _images(self) -> Sequence[pb.Image]:
        try:
            return await self._cri.list_images()
        except CriError:
            return ()

    async def _runtime(self) -> RuntimeFacts:
        """Version and readiness: the runtime itself and its network."""
        try:
            version, status = await asyncio.gather(self._cri.version(), self._cri.status())
        except CriError as error:
            return RuntimeFacts("containerd://unknown", f"container runtime is down: {error.message}")
        name = f"{version.runtime_name}://{version.runtime_version.lstrip('v')}"
        wrong = [f"{each.reason}: {each.message}" for each in status.conditions if not each.status]
        return RuntimeFacts(name, "; ".join(wrong))

    async def _register(self, state: NodeState) -> Obj:
        try:
            return await self._client.create(NODES, node_object(state))
        except AlreadyExists:
            node = await self._client.get(NODES, state.name)
        missing = {key: value for key, value in labels(state).items() if labels_of(node).get(key) != value}
        if missing:
            node = await self._client.patch(NODES, state.name, {"metadata": {"labels": missing}})
        return node

    async def _update_status(self) -> bool:
        """Write the status when it is not as it should be, or old; whether the node is ready. A node that was deleted
        registers again."""
        state = await self._state()
        try:
            node = await self._client.get(NODES, state.name)
        except NotFound:
            node = await self._register(state)
        before: Obj = node.get("status") or {}
        old = asyncio.get_running_loop().time() - self._written_at > _STATUS_SECONDS
        if old or differs(node_status(state, before), before):
            await self._write_status(state, before)
        return not state.runtime.problem

    async def _write_status(self, state: NodeState, before: Obj) -> None:
        patch: Obj = {"status": node_status(state, before)}
        await self._client.patch(NODES, state.name, patch, kind="strategic", subresource="status")
        self._written_at = asyncio.get_running_loop().time()

    async def _renew_when_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._renew_at:
            await self._renew_lease()
            self._renew_at = now + _RENEW_SECONDS - _EARLY_SECONDS

    async def _renew_lease(self) -> None:
        name, now = self._config.node_name, rfc3339_micro(self._config.clock.now())
        spec = {"holderIdentity": name, "leaseDurationSeconds": _LEASE_SECONDS, "renewTime": now}
        if self._lease_known:
            try:
                await self._client.patch(LEASES, name, {"spec": spec}, LEASE_NAMESPACE)
                return
            except NotFound:
                self._lease_known = False
        await self._create_lease(spec)

    async def _create_lease(self, spec: Obj) -> None:
        name = self._config.node_name
        lease: Obj = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": LEASE_NAMESPACE},
            "spec": spec,
        }
        try:
            await self._client.create(LEASES, lease, LEASE_NAMESPACE)
        except AlreadyExists:
            await self._client.patch(LEASES, name, {"spec": spec}, LEASE_NAMESPACE)
        except NotFound:
            await self._client.create(NAMESPACES, _namespace(LEASE_NAMESPACE))
            return
        self._lease_known = True


def _namespace(name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
