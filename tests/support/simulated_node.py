"""A node without a machine: registers itself, says that bound pods run and are ready, lets terminating ones go.

For tests of controllers, which look at the API only. Neighbour: `controllers`, which starts the real ones beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from skerry.kube.client import Client
from skerry.kube.clock import Clock, rfc3339
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, is_deleting, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import NODES, PODS

ALLOCATABLE = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "500"}


ENDED = ("Succeeded", "Failed")


def always(pod: Obj) -> bool:
    """Every pod."""
    return True


def never_ends(pod: Obj) -> int | None:
    """No pod ends by itself."""
    return None


class SimulatedNode(Controller):
    """`becomes_ready` says of a running pod whether it gets ready; `stops` whether a terminating one goes; `ends` with
    which code its containers exit, None while they run. After changing them call `look_again`."""

    name = "simulated-node"
    workers = 16

    def __init__(self, client: Client, informers: Informers, clock: Clock, node: str = "node") -> None:
        super().__init__()
        self.node = node
        self.becomes_ready: Callable[[Obj], bool] = always
        self.stops: Callable[[Obj], bool] = always
        self.ends: Callable[[Obj], int | None] = never_ends
        self._client = client
        self._clock = clock
        self._pods = informers.of(PODS)
        self._addresses = itertools.count(2)
        self._ips: dict[str, str] = {}
        self.watch(self._pods, lambda pod: (f"{namespace_of(pod)}/{name_of(pod)}",) if self._is_mine(pod) else ())

    async def register(self, allocatable: dict[str, str] | None = None, **metadata: object) -> Obj:
        """Create the Node, ready. Its status is patched as a kubelet does, since others change the object meanwhile."""
        now = rfc3339(self._clock.now())
        condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
        resources = {**ALLOCATABLE, **(allocatable or {})}
        status = {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [{**condition, "lastTransitionTime": now}],
        }
        await self._client.create(NODES, {"metadata": {"name": self.node, **metadata}})
        patch = {"status": status}
        return await self._client.patch(NODES, self.node, patch, kind="strategic", subresource="status")

    def look_again(self) -> None:
        """Reconsider all pods."""
        for pod in self._pods.list():
            if self._is_mine(pod):
                self.queue.add(f"{namespace_of(pod)}/{name_of(pod)}")

    async def reconcile(self, key: str) -> float | None:
        """Bring one pod's status a step further."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is None:
            return None
        try:
            if is_deleting(pod):
                await self._let_go(pod)
            else:
                await self._report(pod)
        except NotFound:
            return None
        return None

    def _is_mine(self, pod: Obj) -> bool:
        return bool(pod["spec"].get("nodeName") == self.node)

    async def _let_go(self, pod: Obj) -> None:
        if self.stops(pod):
            if pod["metadata"].get("finalizers") and (pod.get("status") or {}).get("phase") not in ENDED:
                await self._write(pod, self._ended(pod, 137))  # as a node does: first the truth, then the end
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid_of(pod)}}
            await self._client.delete(PODS, name_of(pod), namespace_of(pod), options)

    async def _report(self, pod: Obj) -> None:
        phase = (pod.get("status") or {}).get("phase")
        if phase in ENDED:
            return
        code = self.ends(pod) if phase == "Running" else None
        status = self._status(pod) if code is None else self._ended(pod, code)
        if {key: (pod.get("status") or {}).get(key) for key in status} != status:
            await self._write(pod, status)

    async def _write(self, pod: Obj, status: Obj) -> None:
        await self._client.patch(PODS, name_of(pod), {"status": status}, namespace_of(pod), subresource="status")

    def _ended(self, pod: Obj, code: int) -> Obj:
        """The status of a pod all of whose containers have exited with a code."""
        now = rfc3339(self._clock.now())
        terminated = {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": now}
        containers = [
            {"name": one["name"], "image": one.get("image", ""), "state": {"terminated": terminated}}
            | {"imageID": "", "ready": False, "restartCount": 0}
            for one in pod["spec"]["containers"]
        ]
        before = [one for one in (pod.get("status") or {}).get("conditions") or () if one["type"] != "Ready"]
        ready = {"type": "Ready", "status": "False", "lastTransitionTime": now}
        phase = "Failed" if code else "Succeeded"
        return {"phase": phase, "conditions": [*before, ready], "containerStatuses": containers}

    def _status(self, pod: Obj) -> Obj:
        if uid_of(pod) not in self._ips:
            number = next(self._addresses)
            self._ips[uid_of(pod)] = f"10.96.{number // 250}.{number % 250}"
        ip = self._ips[uid_of(pod)]
        before = {one["type"]: one for one in (pod.get("status") or {}).get("conditions") or ()}
        ready = "True" if self.becomes_ready(pod) else "False"
        since = rfc3339(self._clock.now())
        if before.get("Ready", {}).get("status") == ready:
            since = before["Ready"]["lastTransitionTime"]
        conditions = [one for kind, one in before.items() if kind != "Ready"]
        conditions.append({"type": "Ready", "status": ready, "lastTransitionTime": since})
        return {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions}
