"""The routes of a host: what happens to a request before it is passed on, in the order of ingress-nginx. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from skerry.engine.network.ingress import cors, external_auth
from skerry.engine.network.ingress.materials import Materials
from skerry.engine.network.ingress.pages import NO_PASSWORDS, NO_RULE, NOT_FROM_HERE, UNREADABLE, page, redirect
from skerry.engine.network.ingress.plan import Place, Site
from skerry.engine.network.ingress.proxying import Abilities, Successors, proxies
from skerry.kube.objects import Obj

_GROUP = re.compile(r"\$(\d)")
_MATCH = "path"
"""What a path's expression is called, so that its groups have names."""
_LITERAL = "literal"


@dataclass(frozen=True, slots=True)
class Rendering:
    """What all routes of one server have in common."""

    secure: bool
    """Whether it is the server that speaks TLS."""
    materials: Materials
    abilities: Abilities
    successors: Successors = field(default_factory=Successors)
    """Grows while routes are rendered."""


def site_route(site: Site, rendering: Rendering) -> Obj:
    """The one route of a host: the first path that fits, or 404."""
    routes = [_place_route(site, place, rendering) for place in site.places]
    if not site.places or not _matches_all(site.places[-1]):
        routes.append({"handle": [page(404, NO_RULE)]})
    handlers = [{"handler": "subroute", "routes": routes}] if len(routes) > 1 else routes[0]["handle"]
    match = [{"host": [site.host]}] if site.host else []
    return {**({"match": match} if match else {}), "handle": handlers, "terminal": True}


def www_twin(host: str) -> str:
    """The name that `from-to-www-redirect` sends to this host, "" for a wildcard."""
    if not host or host.startswith("*"):
        return ""
    return host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"


def _matches_all(place: Place) -> bool:
    return place.kind == "Prefix" and not place.path


def _place_route(site: Site, place: Place, rendering: Rendering) -> Obj:
    match = _path_match(place)
    route: Obj = {"handle": list(_handlers(site, place, rendering)), "terminal": True}
    return {"match": [match], **route} if match else route


def _path_match(place: Place) -> Obj:
    """Expressions, because Caddy's own path matcher takes no account of upper and lower case, and paths do."""
    if _matches_all(place):
        return {}
    if place.kind == "Regex":
        pattern = f"(?i)^{place.path}"
    elif place.kind == "Exact":
        pattern = f"^{re.escape(place.path)}$"
    else:
        pattern = f"^{re.escape(place.path)}(/|$)"
    return {"path_regexp": {"name": _MATCH, "pattern": pattern}}


def _handlers(site: Site, place: Place, rendering: Rendering) -> Iterator[Obj]:
    settings, materials = place.settings, rendering.materials
    if not rendering.secure and (settings.force_ssl_redirect or (site.tls is not None and settings.ssl_redirect)):
        yield from _to_https(site)
        return
    if settings.closed:
        yield page(503, UNREADABLE)
        return
    yield from _sources(place)
    if settings.cors is not None:
        yield from cors.handlers(settings.cors)
    yield from _passwords(place, materials)
    if settings.external_auth is not None:
        yield from external_auth.handlers(settings.external_auth, rendering.abilities)
    if settings.redirect is not None:
        yield redirect(settings.redirect.to, settings.redirect.code)
        return
    if settings.app_root:
        yield _only({"path_regexp": {"pattern": "^/$"}}, redirect(settings.app_root, 302))
    if settings.body_size:
        yield from _bounded(settings.body_size)
    if headers := materials.headers.get(place.ingress):
        yield {"handler": "headers", "response": {"set": {name: [text] for name, text in headers.items()}}}
    if settings.rewrite_target:
        yield {"handler": "rewrite", "uri": _rewritten(place)}
    yield from proxies(place, rendering.abilities, rendering.successors)


def _to_https(site: Site) -> Iterator[Obj]:
    """To the same host without its port. Caddy's own word for the host leaves the brackets of IPv6 addresses out."""
    if not site.host:
        literal = {"header_regexp": {"Host": {"name": _LITERAL, "pattern": r"^(\[[^\]]+\])"}}}
        yield _only(literal, redirect(f"https://{{http.regexp.{_LITERAL}.1}}{{http.request.uri}}", 308))
    yield redirect("https://{http.request.host}{http.request.uri}", 308)


def _only(match: Obj, *handlers: Obj) -> Obj:
    """Handlers for some requests, which end there."""
    return {
        "handler": "subroute",
        "routes": [{"match": [match], "handle": list(handlers), "terminal": True}],
    }


def _sources(place: Place) -> Iterator[Obj]:
    settings = place.settings
    if settings.denied:
        yield _only({"remote_ip": {"ranges": list(settings.denied)}}, page(403, NOT_FROM_HERE))
    if settings.allowed:
        yield _only({"not": [{"remote_ip": {"ranges": list(settings.allowed)}}]}, page(403, NOT_FROM_HERE))


def _passwords(place: Place, materials: Materials) -> Iterator[Obj]:
    if place.settings.basic_auth is None:
        return
    accounts = materials.passwords.get(place.ingress)
    if not accounts:
        yield page(503, NO_PASSWORDS)
        return
    encoded = [
        {"username": user, "password": base64.b64encode(hashed.encode()).decode()}
        for user, hashed in sorted(accounts.items())
    ]
    realm = place.settings.basic_auth.realm or "Authentication Required"
    basic = {"accounts": encoded, "realm": realm, "hash_cache": {}}
    yield {"handler": "authentication", "providers": {"http_basic": basic}}


def _bounded(size: int) -> Sequence[Obj]:
    """A length that is announced is refused at once; one that is not, when it is reached."""
    too_long = {"header_regexp": {"Content-Length": {"pattern": _longer_than(size)}}}
    return [
        _only(too_long, page(413, "What was sent is larger than this address takes.")),
        {
            "handler": "request_body",
            "max_size": size,
        },
    ]


def _longer_than(limit: int) -> str:
    """An expression for decimal numbers greater than `limit`, without zeros in front."""
    digits = str(limit)
    greater = [f"[1-9][0-9]{{{len(digits)},}}"]
    for place, digit in enumerate(digits):
        if digit != "9":
            greater.append(f"{digits[:place]}[{int(digit) + 1}-9][0-9]{{{len(digits) - place - 1}}}")
    return f"^0*({'|'.join(greater)})$"


def _rewritten(place: Place) -> str:
    """Groups by their number; a prefix has none."""
    group = f"{{http.regexp.{_MATCH}.\\1}}" if place.kind == "Regex" else ""
    target = _GROUP.sub(group, place.settings.rewrite_target)
    return f"{target}&{{http.request.uri.query}}" if "?" in target else target
