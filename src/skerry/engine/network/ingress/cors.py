"""Cross-origin requests as ingress-nginx's `enable-cors` answers them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.engine.network.ingress.settings import Cors
from skerry.kube.objects import Obj


def handlers(cors: Cors) -> Iterator[Obj]:
    """A preflight is answered here; answers of the app get headers that replace its own."""
    anybody = "*" in cors.origins
    headers = _headers(cors, anybody)
    preflight = {**headers, "Access-Control-Max-Age": [str(cors.max_age)]}
    match = [] if anybody else [{"header_regexp": {"Origin": {"pattern": _pattern(cors.origins)}}}]
    answer = {"handler": "static_response", "status_code": 204, "headers": preflight}
    ask: Obj = {"method": ["OPTIONS"], **(match[0] if match else {})}
    add = {"handler": "headers", "response": {"set": headers, "deferred": True}}
    routes: list[Obj] = [
        {"match": [ask], "handle": [answer], "terminal": True},
        {**({"match": match} if match else {}), "handle": [add]},
    ]
    yield {"handler": "subroute", "routes": routes}


def _headers(cors: Cors, anybody: bool) -> dict[str, list[str]]:
    found = {
        "Access-Control-Allow-Origin": "*" if anybody else "{http.request.header.Origin}",
        "Access-Control-Allow-Credentials": "true" if cors.credentials else "",
        "Access-Control-Allow-Methods": cors.methods,
        "Access-Control-Allow-Headers": cors.headers,
        "Access-Control-Expose-Headers": cors.exposed,
        "Vary": "" if anybody else "Origin",
    }
    return {name: [text] for name, text in found.items() if text}


def _pattern(origins: tuple[str, ...]) -> str:
    """`*` stands for one label of a name."""
    return f"^({'|'.join(re.escape(one).replace(re.escape('*'), '[^./]+') for one in origins)})$"
