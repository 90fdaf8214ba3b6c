"""`auth-url`: another server is asked about each request, and decides. Pure.

It is asked with the headers of the request and without its body, as ingress-nginx does; 2xx lets the request pass, with
the headers of `auth-response-headers`, which clients cannot say themselves; 401 leads to `auth-signin` where there is
one; its answer is the client's else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from skerry.engine.network.ingress.pages import redirect
from skerry.engine.network.ingress.proxying import Abilities
from skerry.engine.network.ingress.settings import ExternalAuth
from skerry.kube.objects import Obj

_UNDERSCORES = "*_*"
"""Headers with one in their names, which CGI and WSGI cannot tell from those with a hyphen; nginx drops them always."""
_THIS = "{http.request.scheme}://{http.request.hostport}{http.request.uri}"


def handlers(auth: ExternalAuth, abilities: Abilities) -> Iterator[Obj]:
    """The handler that asks; what follows it runs if the answer is yes."""
    url = urlsplit(auth.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    answers: list[Obj] = [{"match": {"status_code": [2]}, "routes": [{"handle": _told(auth.answer_headers)}]}]
    if auth.sign_in:
        answers.append({"match": {"status_code": [401]}, "routes": [{"handle": [redirect(_sign_in(auth), 302)]}]})
    transport: Obj = {"protocol": "http", "resolver": {"addresses": [f"udp/{abilities.resolver}:53"]}}
    if url.scheme == "https":
        transport["tls"] = _tls(str(url.hostname))
    yield {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{url.hostname}:{port}"}],
        "transport": transport,
        "rewrite": {"method": auth.method, "uri": f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"},
        "headers": {
            "request": {
                "set": {
                    "Host": [url.netloc.rpartition("@")[2]],
                    "X-Original-URL": [_THIS],
                    "X-Original-Method": ["{http.request.method}"],
                    "X-Forwarded-Method": ["{http.request.method}"],
                    "X-Forwarded-Uri": ["{http.request.uri}"],
                    "X-Auth-Request-Redirect": ["{http.request.uri}"],
                },
                "delete": ["Connection", "Upgrade"],  # a WebSocket is asked about, not opened, there
            }
        },
        "handle_response": answers,
    }


def _told(names: Sequence[str]) -> list[Obj]:
    """What the app is told of the answer, and under these names nothing by clients: neither by an underscore, nor by
    naming them in `Connection`, after which they would not be passed on."""
    if not names:
        return [{"handler": "subroute"}]
    hop_by_hop = {"search_regexp": f"(?i)({'|'.join(map(re.escape, names))})", "replace": ""}
    cleared = {"delete": [_UNDERSCORES], "replace": {"Connection": [hop_by_hop]}}
    copied = {name: [f"{{http.reverse_proxy.header.{name}}}"] for name in names}
    return [{"handler": "headers", "request": cleared}, {"handler": "headers", "request": {"set": copied}}]


def _tls(host: str) -> Obj:
    """A Service of the cluster has a certificate of its own making, as behind `backend-protocol: HTTPS`."""
    return {"insecure_skip_verify": True} if host.endswith(".svc.cluster.local") else {"server_name": host}


def _sign_in(auth: ExternalAuth) -> str:
    """As in ingress-nginx, the address the client wanted is added as `rd`."""
    return f"{auth.sign_in}{'&' if '?' in auth.sign_in else '?'}rd={_THIS}"
