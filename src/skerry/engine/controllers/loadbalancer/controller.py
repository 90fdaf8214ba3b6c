"""Gives every Service of type LoadBalancer its address, and takes it back. Decisions are in `plan`.

What is granted is in the statuses and nowhere else, so a restart changes nothing. One key stands for all Services,
because what one gets another cannot have. The network's part is to forward and announce what the statuses say. Where
somebody else made the definition of IPAddressPools, theirs is the program that gives out addresses, and ours rests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from skerry.engine.address_pools.pools import pools_of
from skerry.engine.address_pools.ranges import number
from skerry.engine.controllers.context import Context
from skerry.engine.controllers.loadbalancer.node_address import Taken, taken_by_cluster, taken_by_machine
from skerry.engine.controllers.loadbalancer.plan import Facts, Plan, plan
from skerry.engine.controllers.loadbalancer.requests import Grant, Port, requests_of, shows_address, wants_address
from skerry.engine.controllers.writing import Written, write_status
from skerry.engine.definitions.installing import is_ours
from skerry.engine.definitions.metallb import ADDRESS_POOLS
from skerry.kube.controller import Controller
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.host_ports import host_ports
from skerry.kube.objects import Obj, key_of, labels_of, name_of
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES
from skerry.kube.telling import Telling

_ALL = "all"
_LOOK_AGAIN = 20.0
"""Seconds until a Service that waits is looked at again: programs do not say when they leave a port."""
_SOON = 0.05
_PROGRAM = "a program of this machine"


class LoadBalancerController(Controller):
    """One key, one worker."""

    name = "loadbalancer"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._host = context.host
        self._config = context.config
        self._services = context.informers.of(SERVICES)
        self._pods = context.informers.of(PODS)
        self._slices = context.informers.of(ENDPOINT_SLICES)
        self._namespaces = context.informers.of(NAMESPACES)
        self._definitions = context.informers.of(CUSTOM_RESOURCE_DEFINITIONS)
        self._pools = context.informers.of(ADDRESS_POOLS)
        self._written = Written(self._services)
        self._telling = Telling(context.recorder.named("service-controller"))
        self.watch(self._services, _about_services)
        self.watch(self._pods, _about_pods)
        self.watch(self._pools, lambda _: (_ALL,))
        self.watch(self._namespaces, lambda _: (_ALL,) if self._pools.list() else ())
        self.watch(self._definitions, lambda one: (_ALL,) if name_of(one) == ADDRESS_POOLS.group_resource else ())

    async def reconcile(self, key: str) -> float | None:
        """Decide about all of them, write what changed. Comes back by itself only while somebody waits."""
        definition = self._definitions.get(ADDRESS_POOLS.group_resource)
        if definition is not None and not is_ours(definition):
            return None
        if not self._written.seen(key) or (definition is not None and not self._pools.revision):
            return _SOON
        services, pools = self._services.list(), self._pools.list()
        wanted = self._decide(services, pools)
        again = _LOOK_AGAIN if any(one.problem for one in wanted.grants.values()) else None
        for service in services:
            if wants_address(service) or _is_left_over(service):
                grant = wanted.grants.get(key_of(service), Grant())
                if not await self._carry_out(service, grant):
                    again = _SOON
        for pool, status in wanted.pools:
            self._telling.problem(pool.obj, "InvalidPool", pool.complaint)
            if not await self._write_pool(pool.obj, status):
                again = _SOON
        self._telling.forget_all_but((*services, *pools))
        return again

    def _decide(self, services: Sequence[Obj], pools: Sequence[Obj]) -> Plan:
        requests = requests_of(services)
        if not requests and not pools:
            return Plan({}, ())
        config = self._config
        facts = Facts(
            pools=pools_of(pools, (*config.pod_cidrs, *config.service_cidrs)),
            node_addresses=config.balanced_addresses,
            taken=self._taken(services),
            others_addresses=self._others_addresses(services),
            namespaces={name_of(one): labels_of(one) for one in self._namespaces.list()},
        )
        return plan(requests, facts)

    def _others_addresses(self, services: Iterable[Obj]) -> dict[int, str]:
        """Addresses that are in use without having come from a pool."""
        found = {
            one: f"an external IP of Service {key_of(service)}" for service in services for one in _external(service)
        }
        found |= dict.fromkeys(self._host.addresses(), "an address of this machine")
        return {known: what for one, what in found.items() if (known := number(one)) is not None}

    def _taken(self, services: Iterable[Obj]) -> Taken:
        programs = taken_by_machine(self._slices.list(), self._config.node_ips)
        others = {**programs, **taken_by_cluster(services, self._host_ports())}

        def taken(key: str, port: Port) -> str:
            holder = others.get(port)
            if holder is not None and holder.key != key:
                return holder.what
            return _PROGRAM if self._host.is_taken(*port) else ""

        return taken

    def _host_ports(self) -> Iterator[tuple[str, Port]]:
        for pod in self._pods.list():
            if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                for port in host_ports(pod):
                    yield key_of(pod), Port(port.protocol, port.port)

    async def _carry_out(self, service: Obj, grant: Grant) -> bool:
        """Whether the cache shows the Service as it is; if not, it soon will."""
        status = service.get("status") or {}
        try:
            written = await write_status(self._client, SERVICES, service, {**status, "loadBalancer": grant.as_status()})
        except (Conflict, NotFound):
            return False
        if written is not service:
            self._written.note(_ALL, written)
            if grant.addresses and _addresses(status) != list(grant.addresses):
                self._telling.news(service, "IPAllocated", f"Assigned IP {_quoted(grant.addresses)}")
        problem = f'Failed to allocate IP for "{key_of(service)}": {grant.problem}' if grant.problem else ""
        self._telling.problem(service, "AllocationFailed", problem)
        return True

    async def _write_pool(self, pool: Obj, status: Obj) -> bool:
        try:
            await write_status(self._client, ADDRESS_POOLS, pool, status)
        except (Conflict, NotFound):
            return False
        return True


def _is_left_over(service: Obj) -> bool:
    """An address on a Service that is no LoadBalancer any more."""
    return service.get("spec", {}).get("type") != "LoadBalancer" and shows_address(service)


def _about_services(service: Obj) -> tuple[str, ...]:
    """A Service without node ports and addresses concerns nobody else."""
    spec = service.get("spec") or {}
    matters = spec.get("type") in ("LoadBalancer", "NodePort") or spec.get("externalIPs") or shows_address(service)
    return (_ALL,) if matters else ()


def _external(service: Obj) -> Sequence[str]:
    return (service.get("spec") or {}).get("externalIPs") or ()


def _about_pods(pod: Obj) -> tuple[str, ...]:
    return (_ALL,) if host_ports(pod) else ()


def _addresses(status: Obj) -> list[str]:
    return [one.get("ip", "") for one in (status.get("loadBalancer") or {}).get("ingress") or ()]


def _quoted(addresses: Iterable[str]) -> str:
    return "[" + " ".join(f'"{one}"' for one in addresses) + "]"
