"""Gives every Service of type LoadBalancer its address, and takes it back. Decisions are in the modules beside it.

What is granted is in the statuses and nowhere else, so a restart changes nothing. One key stands for all Services,
because what one gets another cannot have. The network's part is to forward what the statuses say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.loadbalancer.node_address import grants, taken_by_cluster
from skerry.engine.controllers.loadbalancer.requests import Grant, Port, requests_of, shows_address, wants_address
from skerry.engine.controllers.scheduler.requests import host_ports
from skerry.engine.controllers.writing import Written, write_status
from skerry.kube.controller import Controller
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.objects import Obj, key_of, uid_of
from skerry.kube.resources import PODS, SERVICES

_ALL = "all"
_LOOK_AGAIN = 20.0
"""Seconds until a Service that waits is looked at again: programs do not say when they leave a port."""
_PROGRAM = "a program of this machine"


class LoadBalancerController(Controller):
    """One key, one worker."""

    name = "loadbalancer"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._recorder = context.recorder.named("service-controller")
        self._host = context.host
        config = context.config
        self._node_address = config.node_ip if config.index == 0 else config.loopback_address
        self._services = context.informers.of(SERVICES)
        self._pods = context.informers.of(PODS)
        self._written = Written(self._services)
        self._told: dict[str, str] = {}
        """What is known to be wrong, by uid: said once."""
        self.watch(self._services, _about_services)
        self.watch(self._pods, _about_pods)

    async def reconcile(self, key: str) -> float | None:
        """Decide about all of them, write what changed. Comes back by itself only while somebody waits."""
        if not self._written.seen(key):
            return 0.01
        services = self._services.list()
        granted = self._decide(services)
        again = _LOOK_AGAIN if any(one.problem for one in granted.values()) else None
        for service in services:
            if wants_address(service) or _is_left_over(service):
                grant = granted.get(key_of(service), Grant())
                try:
                    await self._carry_out(service, grant)
                except (Conflict, NotFound):
                    again = 0.01  # the cache will show what happened to it
        self._forget_all_but(services)
        return again

    def _decide(self, services: Iterable[Obj]) -> dict[str, Grant]:
        services = list(services)
        requests = requests_of(services)
        if not requests:
            return {}
        others = taken_by_cluster(services, self._host_ports())

        def taken(key: str, port: Port) -> str:
            holder = others.get(port)
            if holder is not None and holder.key != key:
                return holder.what
            return _PROGRAM if self._host.is_taken(*port) else ""

        return grants(requests, self._node_address, taken)

    def _host_ports(self) -> Iterator[tuple[str, Port]]:
        for pod in self._pods.list():
            if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                for port in host_ports(pod):
                    yield key_of(pod), Port(port.protocol, port.port)

    async def _carry_out(self, service: Obj, grant: Grant) -> None:
        status = service.get("status") or {}
        wanted = {**status, "loadBalancer": grant.as_status()}
        written = await write_status(self._client, SERVICES, service, wanted)
        if written is not service:
            self._written.note(_ALL, written)
            if grant.addresses and _addresses(status) != list(grant.addresses):
                self._recorder.event(service, "Normal", "IPAllocated", f"Assigned IP {_quoted(grant.addresses)}")
        if grant.problem and self._told.get(uid_of(service)) != grant.problem:
            message = f'Failed to allocate IP for "{key_of(service)}": {grant.problem}'
            self._recorder.event(service, "Warning", "AllocationFailed", message)
        self._told[uid_of(service)] = grant.problem

    def _forget_all_but(self, services: Iterable[Obj]) -> None:
        there = {uid_of(one) for one in services}
        self._told = {uid: problem for uid, problem in self._told.items() if uid in there and problem}


def _is_left_over(service: Obj) -> bool:
    """An address on a Service that is no LoadBalancer any more."""
    return service.get("spec", {}).get("type") != "LoadBalancer" and shows_address(service)


def _about_services(service: Obj) -> tuple[str, ...]:
    """A Service without node ports and addresses concerns nobody else."""
    spec = service.get("spec") or {}
    return (_ALL,) if spec.get("type") in ("LoadBalancer", "NodePort") or shows_address(service) else ()


def _about_pods(pod: Obj) -> tuple[str, ...]:
    return (_ALL,) if host_ports(pod) else ()


def _addresses(status: Obj) -> list[str]:
    return [one.get("ip", "") for one in (status.get("loadBalancer") or {}).get("ingress") or ()]


def _quoted(addresses: Iterable[str]) -> str:
    return "[" + " ".join(f'"{one}"' for one in addresses) + "]"
