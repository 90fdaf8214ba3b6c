"""The API server as an object: made on a store and a registry, started on a port, stopped in order.

It is usable in-process (`client`) from the moment it is made. Invariants: port 0 takes a free one; no signal handler is
installed; after `stop` no task, socket or watch of it is left.
Neighbours: `http.edge`, `dispatch`, `auth`, `bootstrap`, `pki`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterable
from functools import partial

from skerry.engine.api.admission.plugins import builtin_chain
from skerry.engine.api.aggregation.authentication_config import publish_authentication
from skerry.engine.api.aggregation.controller import AggregationController
from skerry.engine.api.aggregation.handler import routed
from skerry.engine.api.aggregation.openapi import ExtensionSchemas
from skerry.engine.api.aggregation.servers import ExtensionServers
from skerry.engine.api.aggregation.table import ApiServiceTable
from skerry.engine.api.audit.log import audit_log_of, audited
from skerry.engine.api.auth.authentication import MASTERS, authenticated, user
from skerry.engine.api.auth.authority import authority_of
from skerry.engine.api.auth.authorization import authorised, authorised_upgrade
from skerry.engine.api.auth.credentials import credentials_of
from skerry.engine.api.auth.impersonation import impersonating
from skerry.engine.api.auth.rbac.defaults.keeping import keep_defaults
from skerry.engine.api.backend import Backend
from skerry.engine.api.bootstrap import bootstrap, reachable_address
from skerry.engine.api.certificate_renewal import CertificateRenewal
from skerry.engine.api.custom.controller import CustomResources
from skerry.engine.api.discovery.health import Health
from skerry.engine.api.dispatch import dispatcher
from skerry.engine.api.fairness import Fairness
from skerry.engine.api.http.connection import Connection, Serving
from skerry.engine.api.http.edge import Edge
from skerry.engine.api.kubeconfig import write_kubeconfig
from skerry.engine.api.local import LocalClient
from skerry.engine.api.metrics import Metrics
from skerry.engine.api.pki import PLATFORM, Pki, ensure, renew
from skerry.engine.api.plain import Plain
from skerry.engine.api.pod_access import PodAccess
from skerry.engine.api.request import Request
from skerry.engine.api.response import Raw, Response
from skerry.engine.api.streams.websocket import Receive, Scope, Send
from skerry.engine.api.subresources.pod_streams import connect
from skerry.engine.api.tls import show_certificates, tls_context
from skerry.engine.api.tracking import program_of
from skerry.engine.api.verbs.usage import KINDS as MEASURED_KINDS
from skerry.engine.api.webhooks.client import WebhookClient, cluster_addresses
from skerry.engine.certificates.root import RootCertificate
from skerry.engine.config import EngineConfig
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Store
from skerry.kube.clock import WallClock, rfc3339

log = logging.getLogger(__name__)

_BACKLOG = 1024
_GRACE = 5.0
"""Seconds requests in flight are given when the server stops."""
_GOODBYE = 0.5
"""Seconds clients are given to close their end."""


class ApiServer:
    """The Kubernetes API of one instance. `health` takes further checks."""

    def __init__(
        self,
        config: EngineConfig,
        store: Store,
        registry: Registry,
        pod_access: PodAccess | None = None,
    ) -> None:
        self.config = config
        self.health = Health()
        self.health.live["etcd"] = self.health.components["etcd-0"] = partial(_unreadable, store)
        self.port = config.port
        self.registry = registry
        self.credentials = credentials = credentials_of(config, store)
        self._authority = authority_of(store)
        webhooks = WebhookClient(cluster_addresses(store))
        admission = builtin_chain(config, store, registry, self._authority, webhooks)
        self._backend = Backend(
            config, store, registry, admission, credentials, self._authority, self.health, pod_access
        )
        for kind in MEASURED_KINDS if pod_access is not None else ():
            registry.add(kind)
        fairness = Fairness()
        self.metrics = metrics = Metrics(
            {
                "skerry_store_revision": lambda: store.revision,
                "skerry_watches": lambda: len(self._edge.watches),
                "skerry_requests_waiting": lambda: fairness.queued,
            }
        )
        address = partial(_advertised, self)
        self.api_services = api_services = ApiServiceTable(store, registry)
        self._pki = Pki(config.paths.pki)
        self._extensions = extensions = ExtensionServers(store, self._pki)
        self.root_ca = RootCertificate()
        self._tls = tls_context()
        self.certificates = CertificateRenewal(self._take_up_certificates)
        plain = Plain(
            registry,
            api_services,
            ExtensionSchemas(api_services, extensions),
            self.health,
            metrics,
            address,
            credentials.issuer,
        )
        authenticators = credentials.authenticators()
        resources = routed(api_services, extensions, fairness.wrap(dispatcher(self._backend)), plain.handle)
        decide, self._audit_log = self._authority.decide, audit_log_of(config)
        let_in = impersonating(authorised(resources, decide), decide)
        self._handler = authenticated(audited(let_in, self._audit_log), authenticators)
        itself = self.client("system:apiserver", MASTERS)
        self._custom = CustomResources(self._backend, itself, webhooks)
        self._aggregation = AggregationController(self._backend, itself, api_services, extensions)
        upgrade = impersonating(authorised_upgrade(_nothing, decide), decide)
        self._let_in = authenticated(audited(upgrade, self._audit_log), authenticators)
        self._edge = Edge(self._handler, self._connect, registry, config.clock, metrics)
        self._serving = Serving(self._edge.serve, self._edge.websocket, self._edge.switches, lost=self._lost)
        self._state = self._serving.state
        self._all_gone = asyncio.Event()
        self._servers: list[asyncio.Server] = []

    @property
    def url(self) -> str:
        """Where clients on this machine reach it."""
        bind = self.config.bind
        return f"https://{'127.0.0.1' if bind == '0.0.0.0' else bind}:{self.port}"  # noqa: S104  # compared, not bound

    def client(self, name: str, *groups: str) -> LocalClient:
        """An in-process client acting as `name` ("system:kube-controller-manager"), allowed what that user is."""
        return LocalClient(self._handler, self.registry, user(name, groups), program_of(name))

    def component(self, name: str) -> LocalClient:
        """An in-process client acting as a user ("system:kube-scheduler") or, by a name without "system:", as the
        service account of a controller in kube-system ("replicaset-controller")."""
        if name.startswith("system:"):
            return self.client(name)
        groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system")
        return self.client(f"system:serviceaccount:kube-system:{name}", *groups)

    async def start(self, *, clients: WallClock | None = None) -> None:
        """Certificates, the first objects, the listening sockets, the kubeconfig. `clients`: the clock that clients
        judge certificates by, if not the instance's."""
        self._serving.clock = clock = clients or self.config.clock
        ensure(self.config, clock)
        sockets = _bound(self.config)
        try:
            self.port = sockets[0].getsockname()[1]
            itself = self.client("system:apiserver", MASTERS)
            self._custom.load()
            self._aggregation.table.load()
            self.health.over("definitions")
            await bootstrap(itself, self.config, self.port)
            await publish_authentication(itself, self._pki)
            self.health.over("first objects")
            await keep_defaults(itself, self._backend.store, rfc3339(self.config.clock.now()))
            self._authority.rbac.start()
            self.health.over("roles")
            self._custom.start()
            self._aggregation.start()
            self.health.over("serving")
            await self._listen(sockets)
        except BaseException:
            for one in sockets:
                one.close()
            raise
        self.credentials.start()
        self._publish_files()
        self.certificates.start(partial(renew, self.config, clock))
        log.info("API at %s", self.url)

    async def stop(self) -> None:
        """Stop listening, end watches, let requests in flight finish for a few seconds. Harmless twice."""
        for server in self._servers:
            server.close()
        self._servers = []
        await self.certificates.close()
        await self._custom.close()
        await self._aggregation.close()
        self._edge.watches.close()
        await self._authority.rbac.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            _, late = await asyncio.wait(self._state.tasks, timeout=_GRACE)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self._close_connections()
        await self.credentials.close()
        if self._audit_log is not None:
            await self._audit_log.close()

    async def _close_connections(self) -> None:
        """Wait until clients have said goodbye, as TLS wants it, but not for long."""
        if self._state.connections:
            self._all_gone.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self._all_gone.wait()
        for connection in list(self._state.connections):
            with contextlib.suppress(AttributeError):  # closed twice: early releases of Python 3.11 cannot
                connection.transport.abort()
        await asyncio.sleep(0)  # the loop's turn in which aborted connections go

    def _lost(self) -> None:
        if not self._state.connections:
            self._all_gone.set()

    async def _listen(self, sockets: Iterable[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        show_certificates(self._tls, self._pki)
        for one in sockets:
            server = await loop.create_server(
                lambda: Connection(self._serving), sock=one, ssl=self._tls, backlog=_BACKLOG
            )
            self._servers.append(server)

    async def _take_up_certificates(self) -> None:
        """They were renewed. Connections that are open go on with what they were opened with."""
        show_certificates(self._tls, self._pki)
        self._extensions.take_up_certificate()
        self._publish_files()
        await publish_authentication(self.client("system:apiserver", MASTERS), self._pki)

    def _publish_files(self) -> None:
        self.root_ca.replace(self._pki.certificate("ca").read_text())
        write_kubeconfig(self.config.paths.kubeconfig, self.url, self._pki)
        if self.config.beside:
            write_kubeconfig(self.config.paths.platform_kubeconfig, self.url, self._pki, PLATFORM)

    async def _connect(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        await self._let_in(request)
        await connect(self._backend, request, scope, receive, send)


def _bound(config: EngineConfig) -> list[socket.socket]:
    """The sockets to listen at, all with one port. Raises OSError."""
    first = socket.create_server((config.bind, config.port), backlog=_BACKLOG)
    if not config.bind6:
        return [first]
    try:
        port = first.getsockname()[1]
        return [first, socket.create_server((config.bind6, port), family=socket.AF_INET6, backlog=_BACKLOG)]
    except OSError:
        first.close()
        raise


def _advertised(server: ApiServer) -> str:
    return f"{reachable_address(server.config.bind)}:{server.port}"


def _unreadable(store: Store) -> str:
    """Why the state cannot be read. Whether it can be written is known when somebody writes."""
    return "" if store.count("namespaces") else "the namespaces are gone"


async def _nothing(request: Request) -> Response:
    return Raw(b"", code=101)
