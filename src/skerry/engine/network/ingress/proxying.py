"""The handler that passes requests on to an app. Pure.

Caddy sets X-Forwarded-For, -Proto and -Host by itself and believes none that clients send; the other headers that
ingress-nginx sets are set once for a whole server (`document`). Bodies stream both ways. A connection that fails is
tried at another endpoint, and beside a single one at the Service's own address; a request that was sent is sent again
only if that is safe (GET). Source of the fields: Caddy's `http.handlers.reverse_proxy`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from skerry.engine.network.ingress.pages import NO_ENDPOINT, page
from skerry.engine.network.ingress.plan import Place
from skerry.engine.network.ingress.settings import FIRST_BYTE_SECONDS
from skerry.kube.objects import Obj

SECOND = 1_000_000_000
"""Caddy counts nanoseconds."""
_RETRIES: Mapping[str, int] = {"try_duration": 5 * SECOND, "try_interval": SECOND // 50}
_MAY_BE_REPEATED: Sequence[Obj] = (
    {"vars_regexp": {"{http.error.message}": {"pattern": "^dial "}}},  # how Go begins what it says then
    {"method": ["GET"], "vars_regexp": {"{http.error.status_code}": {"pattern": "^502$"}}},
)
_WAY, _SUCCESSOR = "successor_way", "successor"
"""Variables of a request: which of the shared handlers would ask again, and where."""
_STREAM_SECONDS = 24 * 3600
_IDLE_CONNECTIONS = 256


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the running Caddy can do, and what it must know of the instance."""

    keeps_streams: bool
    """Whether streams (WebSockets) outlive a change of the configuration: from Caddy 2.7 on."""
    resolver: str
    """The cluster's DNS server, for Services of type ExternalName."""
    hands_over: bool = False
    """Whether a configuration ends slowly, with the next one beside it: from Caddy 2.9 on."""


@dataclass(slots=True)
class Successors:
    """How requests go to a Service's own address when its one endpoint fails. Shared by all paths of a server that pass
    requests on alike: with hundreds of hosts, one each took Caddy as long as all the rest of a configuration."""

    _handlers: dict[str, Obj] = field(default_factory=dict)

    def note(self, dial: str, second: Obj) -> Obj:
        """The handler that says, before a request is passed on, where its successor would be asked. `second` asks
        there, wherever that is."""
        name = hashlib.sha256(json.dumps(second, sort_keys=True).encode()).hexdigest()[:16]
        self._handlers[name] = second
        return {"handler": "vars", _WAY: name, _SUCCESSOR: dial}

    def around(self, routes: Sequence[Obj]) -> list[Obj]:
        """These routes, with what happens when they fail."""
        if not self._handlers:
            return [*routes]
        seconds = [
            {"match": [_also(one, name) for one in _MAY_BE_REPEATED], "handle": [handler], "terminal": True}
            for name, handler in sorted(self._handlers.items())
        ]
        other = {"handler": "error", "error": "{http.error.message}", "status_code": "{http.error.status_code}"}
        errors = {"routes": [*seconds, {"handle": [other]}]}
        return [{"handle": [{"handler": "subroute", "routes": [*routes], "errors": errors}]}]


def _also(match: Obj, name: str) -> Obj:
    """For this way only. Of several variables in one `vars` Caddy asks for any, so this is alone there."""
    return {**match, "vars": {f"{{http.vars.{_WAY}}}": [name]}}


def proxies(place: Place, abilities: Abilities, successors: Successors) -> list[Obj]:
    """The last handlers of a path."""
    settings, backend = place.settings, place.backend
    if settings.by_service and backend.service_dial:
        return [_passing_on((backend.service_dial,), place, abilities)]
    if not backend.dials:
        return [page(503, NO_ENDPOINT)]
    first = _passing_on(backend.dials, place, abilities)
    if len(backend.dials) > 1 or not backend.service_dial or settings.affinity_cookie:
        return [first]
    # A single endpoint may be on its way out: the Service's own address is where its successor is found. Nothing else
    # goes there: translating addresses costs more, and kept connections stay with a pod that has left its Service.
    second = _passing_on((f"{{http.vars.{_SUCCESSOR}}}",), place, abilities)
    return [successors.note(backend.service_dial, {**second, "load_balancing": _RETRIES}), first]


def _passing_on(dials: Sequence[str], place: Place, abilities: Abilities) -> Obj:
    handler: Obj = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": dial} for dial in dials],
        "load_balancing": _balancing(place, len(dials)),
        "transport": _transport(place, abilities),
    }
    if headers := _headers(place):
        handler["headers"] = {"request": {"set": headers}}
    if abilities.keeps_streams:
        handler["stream_close_delay"] = _STREAM_SECONDS * SECOND
    return handler


def _balancing(place: Place, choices: int) -> Obj:
    policy: Obj = {"policy": place.settings.balancing}
    if place.settings.affinity_cookie:
        secret = hashlib.sha256(place.uid.encode()).hexdigest()  # not secret: it names an endpoint, nothing more
        policy = {"policy": "cookie", "name": place.settings.affinity_cookie, "secret": secret}
    return {"selection_policy": policy, **(_RETRIES if choices > 1 else {})}


def _transport(place: Place, abilities: Abilities) -> Obj:
    settings = place.settings
    transport: Obj = {
        "protocol": "http",
        "compression": False,
        "dial_timeout": int(settings.connect_seconds * SECOND),
        "response_header_timeout": int((settings.read_seconds or FIRST_BYTE_SECONDS) * SECOND),
        "keep_alive": {"max_idle_conns_per_host": _IDLE_CONNECTIONS},
    }
    if settings.read_seconds:
        transport["read_timeout"] = int(settings.read_seconds * SECOND)
    if settings.send_seconds:
        transport["write_timeout"] = int(settings.send_seconds * SECOND)
    if settings.protocol in ("HTTPS", "GRPCS"):
        transport["tls"] = {"insecure_skip_verify": True}  # as ingress-nginx does: pods have certificates of their own
    if settings.protocol in ("GRPC", "GRPCS"):
        transport["versions"] = ["h2c", "2"] if settings.protocol == "GRPC" else ["2"]
    if not place.backend.service_dial:
        transport["resolver"] = {"addresses": [f"udp/{abilities.resolver}:53"]}
    return transport


def _headers(place: Place) -> Obj:
    """Caddy (2.11) would tell apps that speak TLS their own address as Host; ingress-nginx passes on what was asked."""
    settings = place.settings
    asked = "{http.request.hostport}" if settings.protocol in ("HTTPS", "GRPCS") else ""
    given = {"Host": settings.upstream_host or asked, "X-Forwarded-Prefix": settings.prefix_header}
    return {name: [value] for name, value in given.items() if value}
