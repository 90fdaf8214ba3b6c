"""Caddy's whole configuration, from a plan. Pure; it exists in memory only, because it holds keys.

Source: Caddy's JSON structure, https://caddyserver.com/docs/json/ ; what is used here is understood from 2.6 on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from skerry.engine.network.ingress.pages import NO_RULE, error_routes, page, redirect
from skerry.engine.network.ingress.plan import Challenge, Plan, Site
from skerry.engine.network.ingress.proxying import SECOND, Abilities
from skerry.engine.network.ingress.routes import Rendering, site_route, www_twin
from skerry.engine.network.ingress.tls import connection_policies, tls_app
from skerry.kube.authority import host_and_port
from skerry.kube.objects import Obj

ADMIN_SOCKET = "admin.sock"
"""Relative to the directory that Caddy runs in: its user may not look into those above it."""
DRAIN_MILLISECONDS = 300
"""How long clients that keep connections are told to come again, before what is idle is closed. No other configuration
can be loaded meanwhile: Caddy waits."""
_HEADER_SECONDS, _IDLE_SECONDS = 60, 75
_UNGROUPED = 24
"""So many hosts are routes one after the other."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Where Caddy listens."""

    addresses: tuple[str, ...]
    """One of each family the instance has."""
    http: int
    https: int

    def at(self, port: int) -> list[str]:
        """A port at all addresses, as Caddy writes it."""
        return [host_and_port(address, port) for address in self.addresses]


def empty_document() -> Obj:
    """What Caddy starts with: nothing but its admin socket."""
    return {
        "admin": {
            "listen": f"unix/{ADMIN_SOCKET}",
            "origins": ["localhost"],  # Caddy 2.6 refuses every request on a unix socket otherwise
            "config": {"persist": False},
        },
        "storage": {"module": "file_system", "root": "/proc/self/cwd/storage"},
        "logging": {"logs": {"default": {"level": "WARN"}}},
    }


def document(plan: Plan, listeners: Listeners, abilities: Abilities) -> Obj:
    """The configuration; equal plans give equal ones."""
    servers = {"http": _server(plan, listeners, abilities, secure=False)}
    apps: Obj = {"http": {"servers": servers}}
    if abilities.hands_over:
        apps["http"]["shutdown_delay"] = DRAIN_MILLISECONDS * SECOND // 1000
    if plan.materials.certificates:
        servers["https"] = _server(plan, listeners, abilities, secure=True)
        apps["tls"] = tls_app(plan.materials)
    return {**empty_document(), "apps": apps}


def listening_by(document: Obj, named: Callable[[str], str]) -> Obj:
    """The same configuration, with other names of Caddy's for what its servers listen at."""
    http = document["apps"]["http"]
    servers = {
        name: {**server, "listen": [named(address) for address in server["listen"]]}
        for name, server in http["servers"].items()
    }
    return {**document, "apps": {**document["apps"], "http": {**http, "servers": servers}}}


def _server(plan: Plan, listeners: Listeners, abilities: Abilities, *, secure: bool) -> Obj:
    rendering = Rendering(secure, plan.materials, abilities)
    leaving = [_leaving()] if abilities.hands_over else []
    challenges = [] if secure else [_challenge(one) for one in plan.challenges]
    server: Obj = {
        "listen": listeners.at(listeners.https if secure else listeners.http),
        "automatic_https": {"disable": True},
        "protocols": ["h1", "h2"] if secure else ["h1"],
        "read_header_timeout": _HEADER_SECONDS * SECOND,
        "idle_timeout": _IDLE_SECONDS * SECOND,
        "routes": [
            *leaving,
            *challenges,
            *_request_headers(secure),
            *rendering.successors.around([*_sites(plan, rendering), {"handle": [page(404, NO_RULE)]}]),
        ],
        "errors": {"routes": error_routes()},
    }
    if secure:
        server["tls_connection_policies"] = connection_policies(plan.materials)
    return server


def _leaving() -> Obj:
    """While a configuration ends, the answer to a request on a kept connection is the last there. Not that to an
    upgrade, which needs the header for itself, and whose connection stays."""
    last = {"handler": "headers", "response": {"set": {"Connection": ["close"]}}}
    other = {"match": [{"not": [{"header": {"Upgrade": ["*"]}}]}], "handle": [last]}
    match = [{"vars": {"{http.shutting_down}": ["true"]}}]
    return {"match": match, "handle": [{"handler": "subroute", "routes": [other]}]}


def _challenge(one: Challenge) -> Obj:
    """Before redirects and routes: the ACME server comes by http."""
    path = f"^/\\.well-known/acme-challenge/{re.escape(one.token)}$"
    headers = {"Content-Type": ["text/plain"]}
    answer = {"handler": "static_response", "status_code": 200, "headers": headers, "body": one.answer}
    return {
        "match": [{"host": [one.host], "path_regexp": {"pattern": path}}],
        "handle": [answer],
        "terminal": True,
    }


def _request_headers(secure: bool) -> Iterator[Obj]:
    """What ingress-nginx tells apps about a request, beyond what Caddy does by itself."""
    scheme = "https" if secure else "http"
    told = {
        "X-Real-IP": "{http.request.remote.host}",
        "X-Forwarded-Port": "443" if secure else "80",
        "X-Forwarded-Scheme": scheme,
        "X-Scheme": scheme,
    }
    yield {"handle": [{"handler": "headers", "request": {"set": {name: [text] for name, text in told.items()}}}]}


def _sites(plan: Plan, rendering: Rendering) -> Iterator[Obj]:
    """Names before wildcards, and those before what is for all hosts."""
    sites = sorted(plan.sites, key=_order)
    twins = [twin for site in sites if (twin := _twin(site, plan))]
    named = [(site.host, site_route(site, rendering)) for site in sites if _is_name(site.host)]
    yield from _grouped([*named, *((twin["match"][0]["host"][0], twin) for twin in twins)])
    yield from (site_route(site, rendering) for site in sites if not _is_name(site.host))


def _is_name(host: str) -> bool:
    return bool(host) and not host.startswith("*")


def _twin(site: Site, plan: Plan) -> Obj | None:
    """The redirect of `from-to-www-redirect`, unless somebody has that name."""
    twin = www_twin(site.host)
    wanted = any(place.settings.www_redirect for place in site.places)
    if not twin or not wanted or any(other.host == twin for other in plan.sites):
        return None
    to = f"{{http.request.scheme}}://{site.host}{{http.request.uri}}"
    return {"match": [{"host": [twin]}], "handle": [redirect(to, 308)], "terminal": True}


def _grouped(routes: Sequence[tuple[str, Obj]]) -> Iterator[Obj]:
    """Caddy looks at one route after the other: with hundreds of hosts, groups spare a request most of them."""
    size = math.isqrt(len(routes)) if len(routes) > _UNGROUPED else len(routes) or 1
    for start in range(0, len(routes), size):
        group = routes[start : start + size]
        if len(routes) <= _UNGROUPED:
            yield from (route for _, route in group)
        else:
            match = [{"host": [host for host, _ in group]}]
            inner = {"handler": "subroute", "routes": [route for _, route in group]}
            yield {"match": match, "handle": [inner], "terminal": True}


def _order(site: Site) -> tuple[int, int, str]:
    """Of two wildcards only one can fit a host, since each stands for one label."""
    return (0 if site.host and not site.host.startswith("*") else 1 if site.host else 2, -len(site.host), site.host)
