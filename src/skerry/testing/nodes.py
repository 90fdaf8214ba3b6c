"""Nodes without machines. Every Node object in the API is one: it is kept ready, and pods bound to it follow `rule`.

A test makes nodes as it makes anything else (or asks `cluster` for some); what it sets itself, such as labels, taints
or a capacity with GPUs, stays. Neighbours: `rule` decides, `telling` says which events go with it, this acts; `running`
starts both controllers.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from skerry.engine.api.discovery.version import MAJOR, MINOR
from skerry.kube.client import Client
from skerry.kube.clock import Clock, rfc3339, rfc3339_micro
from skerry.kube.conditions import condition_is_true, conditions_of, with_condition
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import LEASES, NODES, PODS
from skerry.testing.rule import Moment, status_of, stopped_status
from skerry.testing.telling import Told, told_of_end, told_of_start

CAPACITY = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "200Gi", "pods": "500"}
"""What a node has unless its `status.capacity` says otherwise."""

_INFO = {
    "machineID": "simulated",
    "systemUUID": "simulated",
    "bootID": "simulated",
    "kernelVersion": "simulated",
    "osImage": "simulated",
    "containerRuntimeVersion": "simulated://1",
    "kubeletVersion": f"v{MAJOR}.{MINOR}.0",
    "kubeProxyVersion": f"v{MAJOR}.{MINOR}.0",
    "operatingSystem": "linux",
    "architecture": "amd64",
}
_LEASE_SECONDS = 40
_RENEW_SECONDS = 10.0
_LEASE_NAMESPACE = "kube-node-lease"
_HOST = "127.0.0.1"


class SimulatedNodes(Controller):
    """Says of every node that it is ready, and renews its lease. Keys are nodes."""

    name = "simulated-nodes"
    workers = 2

    def __init__(self, client: Client, informers: Informers, clock: Clock) -> None:
        super().__init__()
        self._client = client
        self._clock = clock
        self._nodes = informers.of(NODES)
        self._nodes.add_handler(lambda delta: self.queue.add(name_of(delta.object)) if delta.old is None else None)

    async def reconcile(self, key: str) -> float | None:
        """Show a sign of life; comes back for the next one."""
        node = self._nodes.get(key)
        if node is None:
            return None
        try:
            if not _is_ready(node):
                await self._client.patch(NODES, key, {"status": self._status(node)}, subresource="status")
            await self._renew(node)
        except NotFound:
            return None
        return _RENEW_SECONDS

    def _status(self, node: Obj) -> Obj:
        now = self._clock.now()
        present = node.get("status") or {}
        capacity = {**CAPACITY, **(present.get("capacity") or {})}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "simulated"}
        ready["lastHeartbeatTime"] = rfc3339(now)
        return {
            "capacity": capacity,
            "allocatable": {**capacity, **(present.get("allocatable") or {})},
            "addresses": [{"type": "InternalIP", "address": _HOST}, {"type": "Hostname", "address": name_of(node)}],
            "conditions": with_condition(conditions_of(node), ready, now),
            "nodeInfo": {**_INFO, **{key: told for key, told in (present.get("nodeInfo") or {}).items() if told}},
        }

    async def _renew(self, node: Obj) -> None:
        name = name_of(node)
        spec = {
            "holderIdentity": name,
            "leaseDurationSeconds": _LEASE_SECONDS,
            "renewTime": rfc3339_micro(self._clock.now()),
        }
        try:
            await self._client.patch(LEASES, name, {"spec": spec}, _LEASE_NAMESPACE)
        except NotFound:
            owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid_of(node)}
            lease = {"metadata": {"name": name, "ownerReferences": [owner]}, "spec": spec}
            try:
                await self._client.create(LEASES, lease, _LEASE_NAMESPACE)
            except AlreadyExists:
                return


class SimulatedPods(Controller):
    """Brings every bound pod to where `rule` says; lets deleted ones go. Keys are pods."""

    name = "simulated-pods"
    workers = 16

    def __init__(self, client: Client, informers: Informers, recorder: Recorder, clock: Clock, pod_cidr: str) -> None:
        super().__init__()
        self._client = client
        self._recorder = recorder
        self._clock = clock
        self._nodes = informers.of(NODES)
        self._pods = informers.of(PODS)
        self._addresses = IPv4Network(pod_cidr)
        self._given = 1
        self.watch(self._pods, lambda pod: (key_of(pod),) if pod["spec"].get("nodeName") else ())
        self._nodes.add_handler(lambda delta: self._look_at_pods_of(name_of(delta.object)) if not delta.old else None)

    async def reconcile(self, key: str) -> float | None:
        """Bring one pod's status a step further."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is None or self._nodes.get(pod["spec"].get("nodeName", "")) is None:
            return None
        try:
            if is_deleting(pod):
                await self._let_go(pod)
            else:
                await self._report(pod)
        except NotFound:
            return None
        return None

    async def _let_go(self, pod: Obj) -> None:
        """Say of one that ran that it was stopped, as a real node does, and delete it for good.

        One that did not run has failed if something still holds it (a Job that counts it).
        """
        phase = (pod.get("status") or {}).get("phase")
        if phase == "Running":
            self._tell(pod, told_of_end(pod))
            await self._say_last(pod, stopped_status(pod, self._moment(pod)))
        elif pod["metadata"].get("finalizers") and phase not in ("Succeeded", "Failed"):
            await self._say_last(pod, {"phase": "Failed"})
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid_of(pod)}}
        await self._client.delete(PODS, name_of(pod), namespace_of(pod), options)

    async def _say_last(self, pod: Obj, status: Obj) -> None:
        last = {"metadata": {"uid": uid_of(pod)}, "status": status}
        await self._client.patch(PODS, name_of(pod), last, namespace_of(pod), subresource="status")

    async def _report(self, pod: Obj) -> None:
        status = status_of(pod, self._moment(pod))
        if status != pod.get("status"):
            metadata = {"uid": uid_of(pod), "resourceVersion": pod["metadata"]["resourceVersion"]}
            patch = {"metadata": metadata, "status": status}
            await self._client.patch(PODS, name_of(pod), patch, namespace_of(pod), subresource="status")
            self._tell(pod, told_of_start(pod, status))

    def _tell(self, pod: Obj, events: Iterable[Told]) -> None:
        for one in events:
            self._recorder.event(pod, "Normal", one.reason, one.message, one.field_path)

    def _moment(self, pod: Obj) -> Moment:
        address = (pod.get("status") or {}).get("podIP") or self._next_address()
        return Moment(rfc3339(self._clock.now()), address, _HOST)

    def _next_address(self) -> str:
        """Addresses lead nowhere; when all were given out they start anew."""
        self._given = self._given % (self._addresses.num_addresses - 2) + 1
        return str(self._addresses[self._given])

    def _look_at_pods_of(self, node: str) -> None:
        for pod in self._pods.list():
            if pod["spec"].get("nodeName") == node:
                self.queue.add(key_of(pod))


def _is_ready(node: Obj) -> bool:
    return condition_is_true(node, "Ready") and bool((node.get("status") or {}).get("allocatable"))
