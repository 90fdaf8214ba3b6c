"""The annotations of ingress-nginx that users carry: what each means here. Pure.

Source: ingress-nginx, `user-guide/nginx-configuration/annotations.md`. An annotation in its domain is one of four: in
 `_READERS`, `HARMLESS` (what it asks for holds anyway), `DANGEROUS` (text for nginx's own configuration: refused), or
reported by name. docs/resources/ingress.md lists them, and a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from skerry.engine.network.ingress import annotation_values as values
from skerry.engine.network.ingress.settings import PLAIN, BasicAuth, Cors, ExternalAuth, Redirect, Settings
from skerry.kube.objects import Obj, annotations_of

PREFIX = "nginx.ingress.kubernetes.io/"


class Problem(NamedTuple):
    """Something about an Ingress that its owner should know: the reason and message of a Warning event."""

    reason: str
    message: str


Reader = Callable[[str], Any]


def _balancing(text: str) -> str:
    known = {"round_robin": "round_robin", "ewma": "least_conn", "ip_hash": "ip_hash"}
    if text not in known:
        raise ValueError("must be round_robin, ewma or ip_hash")
    return known[text]


def _hashed(text: str) -> str:
    known = {"$remote_addr": "ip_hash", "$binary_remote_addr": "ip_hash", "$request_uri": "uri_hash"}
    if text not in known:
        raise ValueError("must be $remote_addr, $binary_remote_addr or $request_uri")
    return known[text]


_READERS: Mapping[str, tuple[str, Reader]] = {
    "ssl-redirect": ("ssl_redirect", values.switch),
    "force-ssl-redirect": ("force_ssl_redirect", values.switch),
    "use-regex": ("use_regex", values.switch),
    "rewrite-target": ("rewrite_target", values.path),
    "proxy-body-size": ("body_size", values.size),
    "proxy-connect-timeout": ("connect_seconds", values.seconds),
    "proxy-read-timeout": ("read_seconds", values.seconds),
    "proxy-send-timeout": ("send_seconds", values.seconds),
    "backend-protocol": ("protocol", values.protocol),
    "whitelist-source-range": ("allowed", values.networks),
    "allowlist-source-range": ("allowed", values.networks),
    "denylist-source-range": ("denied", values.networks),
    "permanent-redirect": ("redirect", values.permanent),
    "temporal-redirect": ("temporal", values.temporal),
    "permanent-redirect-code": ("redirect_code", values.redirect_code),
    "temporal-redirect-code": ("temporal_code", values.redirect_code),
    "app-root": ("app_root", values.path),
    "server-alias": ("aliases", values.words),
    "from-to-www-redirect": ("www_redirect", values.switch),
    "upstream-vhost": ("upstream_host", values.line),
    "x-forwarded-prefix": ("prefix_header", values.line),
    "custom-headers": ("answer_headers", values.line),
    "service-upstream": ("by_service", values.switch),
    "load-balance": ("balancing", _balancing),
    "upstream-hash-by": ("hashed", _hashed),
    "affinity": ("affinity", values.exactly("cookie")),  # type: ignore[dict-item]
    "affinity-mode": ("affinity_mode", values.exactly("balanced", "persistent")),  # type: ignore[dict-item]
    "session-cookie-name": ("cookie", values.token),
    "auth-type": ("auth_type", values.exactly("basic")),  # type: ignore[dict-item]
    "auth-secret": ("auth_secret", values.line),
    "auth-secret-type": ("auth_form", values.exactly("auth-file", "auth-map")),  # type: ignore[dict-item]
    "auth-realm": ("auth_realm", values.line),
    "auth-url": ("auth_url", values.url),
    "auth-signin": ("auth_signin", values.url),
    "auth-method": ("auth_method", values.token),
    "auth-response-headers": ("auth_headers", values.words),
    "enable-cors": ("cors", values.switch),
    "cors-allow-origin": ("cors_origins", values.words),
    "cors-allow-methods": ("cors_methods", values.line),
    "cors-allow-headers": ("cors_headers", values.line),
    "cors-expose-headers": ("cors_exposed", values.line),
    "cors-allow-credentials": ("cors_credentials", values.switch),
    "cors-max-age": ("cors_max_age", values.number),
}
_DIRECT = frozenset(Settings.__dataclass_fields__)
"""What readers give under the name of a field of `Settings`."""

SUPPORTED = frozenset(_READERS)
_PROTECTING = frozenset({
    "allowlist-source-range", "auth-type", "auth-url", "denylist-source-range", "whitelist-source-range",
})  # fmt: skip
"""Say who is let in: when one cannot be read nobody is, as in ingress-nginx."""
HARMLESS = frozenset({
    "client-body-buffer-size", "connection-proxy-header", "enable-access-log", "enable-rewrite-log",
    "preserve-trailing-slash",
    "proxy-buffer-size", "proxy-buffering", "proxy-buffers-number", "proxy-busy-buffers-size",
    "proxy-http-version", "proxy-max-temp-file-size", "proxy-next-upstream", "proxy-next-upstream-timeout",
    "proxy-next-upstream-tries", "proxy-request-buffering", "ssl-prefer-server-ciphers", "websocket-services",
})  # fmt: skip
"""How nginx is to do what Caddy does in its own way: bodies stream, failed connections are tried elsewhere."""
DANGEROUS = frozenset({
    "auth-snippet", "configuration-snippet", "modsecurity-snippet", "server-snippet", "stream-snippet",
})  # fmt: skip


def read(ingress: Obj) -> tuple[Settings, list[Problem]]:
    """What the annotations ask for, and what is wrong with them. A value that cannot be read leaves the default, or
    closes the Ingress if it was to protect it."""
    given: dict[str, Any] = {}
    problems: list[Problem] = []
    for annotation, text in annotations_of(ingress).items():
        if not annotation.startswith(PREFIX):
            continue
        name = annotation.removeprefix(PREFIX)
        if name not in _READERS:
            problems += _unread(annotation, name)
            continue
        field, reader = _READERS[name]
        try:
            given[field] = reader(text.strip())
        except ValueError as error:
            given |= {"closed": True} if name in _PROTECTING else {}
            problems.append(Problem("InvalidAnnotation", f"{annotation}: {text!r}: {error}"))
    return (_settings(given) if given else PLAIN), problems


def _unread(annotation: str, name: str) -> list[Problem]:
    if name in HARMLESS:
        return []
    if name in DANGEROUS:
        return [Problem("RefusedAnnotation", f"{annotation} is refused: it is text for the configuration of nginx")]
    return [Problem("UnsupportedAnnotation", f"{annotation} is not supported and has no effect")]


def _settings(given: Mapping[str, Any]) -> Settings:
    direct = {name: value for name, value in given.items() if name in _DIRECT and name not in ("redirect", "cors")}
    return replace(
        PLAIN,
        **direct,
        **_balance(given),
        redirect=_redirect(given),
        basic_auth=_basic_auth(given),
        external_auth=_external_auth(given),
        cors=_cors(given) if given.get("cors") else None,
    )


def _balance(given: Mapping[str, Any]) -> dict[str, Any]:
    if "affinity" in given:
        return {"affinity_cookie": given.get("cookie", "INGRESSCOOKIE")}
    return {"balancing": given["hashed"]} if "hashed" in given else {}


def _redirect(given: Mapping[str, Any]) -> Redirect | None:
    """The temporal one counts when both are there, as in ingress-nginx."""
    for name, code in (("temporal", "temporal_code"), ("redirect", "redirect_code")):
        if name in given:
            found: Redirect = given[name]
            return replace(found, code=given.get(code, found.code))
    return None


def _basic_auth(given: Mapping[str, Any]) -> BasicAuth | None:
    """`auth-type` without a readable Secret protects by refusing everybody: the name stays empty."""
    if "auth_type" not in given:
        return None
    is_map = given.get("auth_form") == "auth-map"
    return BasicAuth(given.get("auth_secret", ""), given.get("auth_realm", ""), is_map)


def _external_auth(given: Mapping[str, Any]) -> ExternalAuth | None:
    if "auth_url" not in given:
        return None
    sign_in, headers = given.get("auth_signin", ""), given.get("auth_headers", ())
    return ExternalAuth(given["auth_url"], sign_in, headers, given.get("auth_method", "GET"))


def _cors(given: Mapping[str, Any]) -> Cors:
    names = {
        "cors_origins": "origins",
        "cors_methods": "methods",
        "cors_headers": "headers",
        "cors_exposed": "exposed",
        "cors_credentials": "credentials",
        "cors_max_age": "max_age",
    }
    return Cors(**{field: given[name] for name, field in names.items() if name in given})
