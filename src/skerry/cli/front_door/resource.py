"""What a FrontDoor says, read and checked. docs/resources/frontdoor.md describes it for users.

Neighbours: `reading` makes it, `haproxy` and `keepalived` render it. Times are seconds, names are unique among their
kind, and a route names clusters that exist and have an ingress.
"""

from __future__ import annotations

from dataclasses import dataclass

HEALTH_PORT = 8405
"""The port on 127.0.0.1 where a balancer's haproxy tells keepalived's check script that it serves."""


@dataclass(frozen=True, slots=True)
class Server:
    """One machine behind the balancers; `address` may be a name."""

    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Check:
    """When a server counts as dead or alive again: asked every `interval`, after so many answers in a row."""

    interval: float
    fall: int
    rise: int


@dataclass(frozen=True, slots=True)
class BackendTls:
    """TLS towards servers, always verified: by which authorities, for which name.

    `server_name` None: the name the request is for. `verify_name` False: any certificate of the authorities will do,
    and no name is sent.
    """

    ca_file: str
    server_name: str | None
    verify_name: bool = True


@dataclass(frozen=True, slots=True)
class Ingress:
    """A cluster's servers for the web. `tls` None: plain HTTP to them."""

    servers: tuple[Server, ...]
    tls: BackendTls | None
    check: Check


@dataclass(frozen=True, slots=True)
class Api:
    """A cluster's API servers, the port under which balancers offer them, and the path that tells their health."""

    listen: int
    servers: tuple[Server, ...]
    tls: BackendTls
    check: Check
    health_path: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster: its web, its API, or both."""

    name: str
    ingress: Ingress | None
    api: Api | None


@dataclass(frozen=True, slots=True)
class Route:
    """Which clusters serve some hosts. `hosts`: names, `*.` before a domain for one label, `*` for all others.

    `health_path`: asked of every server, as `health_host`; None: connecting (with TLS, if used) is enough.
    """

    name: str
    hosts: tuple[str, ...]
    active: tuple[str, ...]
    backup: tuple[str, ...]
    health_path: str | None
    health_host: str | None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect; for a request's head; of silence in a request or answer; between requests; in a tunnel."""

    connect: float
    headers: float
    idle: float
    keep_alive: float
    tunnel: float


@dataclass(frozen=True, slots=True)
class Web:
    """HTTP and HTTPS. `certificates`: the directory of PEM files; None: no HTTPS, and nothing is redirected."""

    routes: tuple[Route, ...]
    certificates: str | None
    challenges: Server | None
    http_port: int
    https_port: int


@dataclass(frozen=True, slots=True)
class VirtualAddress:
    """Addresses, with prefix length, that one balancer holds at a time. `password`: at most 8 characters, or none."""

    addresses: tuple[str, ...]
    interface: str
    router_id: int
    preempt: bool
    password: str | None


@dataclass(frozen=True, slots=True)
class Balancer:
    """A machine that runs haproxy. `address`: where the others' keepalived reaches it."""

    name: str
    address: str
    interface: str | None


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """The whole document."""

    name: str
    balancers: tuple[Balancer, ...]
    virtual: VirtualAddress | None
    web: Web | None
    clusters: tuple[Cluster, ...]
    timeouts: Timeouts

    def ingress(self, cluster: str) -> Ingress:
        """The ingress of a cluster that a route names."""
        return next(one.ingress for one in self.clusters if one.name == cluster and one.ingress is not None)
