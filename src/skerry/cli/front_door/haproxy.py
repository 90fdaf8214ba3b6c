"""haproxy.cfg of a FrontDoor: one text for all its balancers. Pure.

Neighbour: `resource`. haproxy 2.4 or newer reads it. Sections come as lists of lines; every name in them was checked by
`reading`, so nothing here needs quoting. Requests that may be repeated are, on another server, when one dies before
it answers; others only when no connection came about.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from skerry.cli.front_door.resource import (
    HEALTH_PORT,
    Api,
    BackendTls,
    Check,
    Cluster,
    FrontDoor,
    Ingress,
    Route,
    Server,
    Timeouts,
    Web,
)

SOCKET = "/run/haproxy/admin.sock"
"""Where the balancer's administrator asks for statistics, as root, on the balancer itself."""

_HOST = "req.hdr(host),field(1,:)"  # without the port that clients may add
_CHALLENGE = "/.well-known/acme-challenge/"


def configuration(door: FrontDoor) -> str:
    """The text of haproxy.cfg."""
    sections = [_global(), _defaults(door.timeouts), _health(door)]
    if _has_host_names(door):
        sections.append(["resolvers names", "parse-resolv-conf", "hold valid 10s"])
    if door.web:
        sections += _web_frontends(door, door.web)
        sections += [_route_backend(door, route) for route in door.web.routes]
        sections += [_nobody()]
    if door.web and door.web.challenges:
        sections.append(["backend certbot", _server_line("certbot", door.web.challenges)])
    for cluster in door.clusters:
        sections += _api(door, cluster.name, cluster.api) if cluster.api else []
    return "\n".join(line for section in sections for line in _indented(section))


def _indented(section: list[str]) -> Iterator[str]:
    yield section[0]
    yield from (f"  {line}" for line in section[1:])
    yield ""


def _global() -> list[str]:
    return [
        "global",
        "log stdout format raw daemon",
        f"stats socket {SOCKET} mode 600 level admin expose-fd listeners",
        "chroot /var/lib/haproxy",
        "user haproxy",
        "group haproxy",
        "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
        "ssl-default-server-options ssl-min-ver TLSv1.2",
        "ssl-server-verify required",
        "tune.ssl.default-dh-param 2048",
    ]


def _defaults(timeouts: Timeouts) -> list[str]:
    return [
        "defaults",
        "mode http",
        "log global",
        "option httplog",
        "option dontlognull",
        "balance roundrobin",
        "retries 3",
        "option redispatch 1",
        f"timeout connect {_time(timeouts.connect)}",
        f"timeout http-request {_time(timeouts.headers)}",
        f"timeout http-keep-alive {_time(timeouts.keep_alive)}",
        f"timeout client {_time(timeouts.idle)}",
        f"timeout server {_time(timeouts.idle)}",
        f"timeout tunnel {_time(timeouts.tunnel)}",
        "timeout client-fin 30s",
        f"timeout queue {_time(timeouts.connect)}",
        f"timeout check {_time(timeouts.connect)}",
    ]


def _health(door: FrontDoor) -> list[str]:
    """What keepalived's check script asks: no, if this balancer reaches no server of any backend."""
    return [
        "frontend health",
        f"bind 127.0.0.1:{HEALTH_PORT}",
        "option dontlog-normal",
        "monitor-uri /healthy",
        *(
            f"acl serves nbsrv({name}) ge 1" for name in _balanced(door)
        ),  # any of them: lines of one name are alternatives
        "monitor fail unless serves",
    ]


def _balanced(door: FrontDoor) -> list[str]:
    routes = door.web.routes if door.web else ()
    return [*map(_backend_of, routes), *(f"api-{one.name}" for one in door.clusters if one.api)]


def _backend_of(route: Route) -> str:
    return f"web-{route.name}"


def _web_frontends(door: FrontDoor, web: Web) -> list[list[str]]:
    """http and https; without certificates http alone, with the routes."""
    http = ["frontend http", *_accepting(door, web.http_port)]
    if web.challenges:
        http.append(f"acl acme_challenge path_beg {_CHALLENGE}")
    if web.certificates is None:
        return [[*http, *_forwarded("http"), *_challenges(web), *_routing(web.routes)]]
    # strict-sni: haproxy starts with no certificate at all, so that the first can be had through the challenge path
    tls = f" ssl crt {web.certificates} strict-sni alpn h2,http/1.1"
    https = ["frontend https", *_accepting(door, web.https_port, tls)]
    return [[*http, _to_https(web), *_challenges(web)], [*https, *_forwarded("https"), *_routing(web.routes)]]


def _challenges(web: Web) -> list[str]:
    return ["use_backend certbot if acme_challenge"] if web.challenges else []


def _to_https(web: Web) -> str:
    port = "" if web.https_port == 443 else f":{web.https_port}"
    unless = " unless acme_challenge" if web.challenges else ""
    return f"http-request redirect location https://%[{_HOST}]{port}%[pathq] code 308{unless}"


def _accepting(door: FrontDoor, port: int, options: str = "") -> list[str]:
    """Where a web frontend listens. A reload closes kept connections after an answer, not under the next request."""
    return [*(f"{bind}{options}" for bind in _binds(door, port)), "option idle-close-on-response"]


def _binds(door: FrontDoor, port: int) -> list[str]:
    """All addresses of the machine, so that a virtual one may come and go."""
    addresses = door.virtual.addresses if door.virtual else ()
    six = any(ipaddress.ip_interface(address).version == 6 for address in addresses)
    return [f"bind *:{port}", *([f"bind [::]:{port} v6only"] if six else [])]


def _forwarded(scheme: str) -> list[str]:
    """Who asked and how: what the client itself claims is taken away."""
    return [
        "http-request del-header X-Forwarded-For",
        "option forwardfor",
        f"http-request set-header X-Forwarded-Proto {scheme}",
        f"http-request set-header X-Forwarded-Host %[{_HOST}]",
    ]


def _routing(routes: Iterable[Route]) -> list[str]:
    """Names first, then wildcards, then the rest: the most specific wins wherever it is written."""
    exact, wild, rest = [], [], "nobody"
    for route in routes:
        for host in route.hosts:
            if host == "*":
                rest = _backend_of(route)
            elif host.startswith("*."):
                one_label = f"^[^.]+{re.escape(host[1:])}$"
                wild.append(f"use_backend {_backend_of(route)} if {{ {_HOST} -i -m reg '{one_label}' }}")
            else:
                exact.append(f"use_backend {_backend_of(route)} if {{ {_HOST} -i {host} }}")
    return [*exact, *wild, f"default_backend {rest}"]


def _nobody() -> list[str]:
    return [
        "backend nobody",
        'http-request return status 404 content-type text/plain string "No such host here.\\n"',
    ]


def _route_backend(door: FrontDoor, route: Route) -> list[str]:
    """Servers of active clusters, then those of backups: all of these at once when no active one is left."""
    lines = [f"backend {_backend_of(route)}"]
    if route.backup:
        lines.append("option allbackups")
    lines += [
        "retry-on conn-failure empty-response",
        "http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE }",
    ]
    host = route.health_host or next((host for host in route.hosts if "*" not in host), None)
    lines += _http_check(route.health_path, host, "200-399") if route.health_path else []
    for name in (*route.active, *route.backup):
        lines += _ingress_lines(name, door.ingress(name), host, " backup" if name in route.backup else "")
    return lines


def _ingress_lines(cluster: str, ingress: Ingress, host: str | None, suffix: str) -> Iterator[str]:
    options = f" {_check_options(ingress.check)} observe layer4 error-limit 3 on-error sudden-death"
    if ingress.tls:
        options += f" ssl {_verification(ingress.tls, host)}"
    for server in ingress.servers:
        yield f"{_server_line(f'{cluster}.{server.name}', server)}{options}{suffix}"


def _verification(tls: BackendTls, host: str | None) -> str:
    """haproxy verifies the name it sends: that of the request, or the one that is given."""
    trusted = f"verify required ca-file {tls.ca_file}"
    if not tls.verify_name:
        return trusted
    if tls.server_name:
        return f"{trusted} sni str({tls.server_name}) check-sni {tls.server_name}"
    return f"{trusted} sni {_HOST}" + (f" check-sni {host}" if host else "")


def _api(door: FrontDoor, cluster: str, api: Api) -> list[list[str]]:
    """The API passes as it is: its clients verify the server, and show it their certificates."""
    name = f"api-{cluster}"
    server_name = api.tls.server_name or "kubernetes"
    options = f"{_check_options(api.check)} check-ssl verify required ca-file {api.tls.ca_file}"
    if api.tls.verify_name:
        options += f" check-sni {server_name}"
    options += " on-marked-down shutdown-sessions"  # watches would wait for a server that is gone
    servers = [f"{_server_line(server.name, server)} {options}" for server in api.servers]
    checks = _http_check(api.health_path, server_name, "200")
    return [
        [
            f"frontend {name}",
            *_binds(door, api.listen),
            "mode tcp",
            "option tcplog",
            "option clitcpka",
            f"default_backend {name}",
        ],
        [f"backend {name}", "mode tcp", "option srvtcpka", *checks, *servers],
    ]


def _http_check(path: str, host: str | None, expected: str) -> list[str]:
    hosted = f" ver HTTP/1.1 hdr Host {host}" if host else ""
    return [
        "option httpchk",
        f"http-check send meth GET uri {path}{hosted}",
        f"http-check expect status {expected}",
    ]


def _check_options(check: Check) -> str:
    """A server that is changing its mind is asked four times as often."""
    often = _time(max(check.interval / 4, 0.1))
    return f"check inter {_time(check.interval)} fastinter {often} fall {check.fall} rise {check.rise}"


def _server_line(name: str, server: Server) -> str:
    address = f"[{server.address}]" if ":" in server.address else server.address
    found = f"server {name} {address}:{server.port}"
    return f"{found} resolvers names init-addr last,libc,none" if _is_name(server.address) else found


def _has_host_names(door: FrontDoor) -> bool:
    servers = [server for cluster in door.clusters for server in _servers_of(cluster)]
    if door.web and door.web.challenges:
        servers.append(door.web.challenges)
    return any(_is_name(server.address) for server in servers)


def _servers_of(cluster: Cluster) -> tuple[Server, ...]:
    ingress = cluster.ingress.servers if cluster.ingress else ()
    return ingress + (cluster.api.servers if cluster.api else ())


def _is_name(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return True
    return False


def _time(seconds: float) -> str:
    """As haproxy writes it: milliseconds where they are needed."""
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"
