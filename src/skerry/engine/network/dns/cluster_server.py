"""The DNS server of an instance as a whole: caches, listener, Service. Made and closed by `program`.

It listens on the host's end of the pods' interfaces (`cni.pod_gateways`), an address of each IP family, which this
instance's pods reach and, by a rule of `tables`, nobody from outside. It acts at the API as the service account
`kube-system:kube-dns`.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from skerry.engine.config import EngineConfig
from skerry.engine.network.cni import pod_gateways
from skerry.engine.network.dns.answering import Answering
from skerry.engine.network.dns.directory import ClusterDirectory
from skerry.engine.network.dns.published import DnsService
from skerry.engine.network.dns.server import DnsServer
from skerry.engine.network.dns.zone import Zone
from skerry.kube.client import Client
from skerry.kube.informer import Informers
from skerry.kube.resources import SERVICES

PORT = 10053
"""Not 53: a resolver of the machine, or of a pod in the machine's network, may have that on all addresses."""
RESOLV_CONF = Path("/etc/resolv.conf")


class ClusterDnsServer:
    """`start` listens and publishes, `close` ends both; the Service stays."""

    def __init__(self, config: EngineConfig, client: Client) -> None:
        self._config = config
        self._client = client
        self._informers = Informers(client)
        directory = ClusterDirectory(self._informers)
        own = [ip_network(one) for one in (*config.pod_cidrs, *config.service_cidrs)]
        zone = Zone(config.cluster_domain, config.cluster_dns_addresses, directory)
        self._answering = Answering(zone, own, RESOLV_CONF)
        directory.on_change(self._answering.changed)
        self._servers = {address: DnsServer(self._answering) for address in pod_gateways(config)}
        self._service: DnsService | None = None

    async def start(self) -> None:
        """Answers are complete from the first question on. The host must be set up. Raises OSError and listens nowhere
        then."""
        await self._informers.start()
        try:
            listening = {address: await server.start(address, PORT) for address, server in self._servers.items()}
        except OSError:
            await self.close()
            raise
        services = self._informers.of(SERVICES)
        self._service = DnsService(self._client, services, self._config.cluster_dns_addresses, listening)
        self._service.start()

    async def close(self) -> None:
        """Questions of running pods wait for the next engine, or fail."""
        if self._service is not None:
            await self._service.close()
        for server in self._servers.values():
            await server.close()
        await self._answering.close()
        await self._informers.close()
