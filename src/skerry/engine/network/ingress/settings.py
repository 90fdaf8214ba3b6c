"""What annotations change about routes, as values: `annotations` makes them, `routes` renders them."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_BYTE_SECONDS = 60.0
"""How long an app may take to begin its answer, unless an annotation says otherwise: as in ingress-nginx."""
CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Redirect:
    """An answer that sends the client elsewhere."""

    to: str
    code: int


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """Names and passwords from a Secret of the Ingress's namespace."""

    secret: str
    """Its name, or "namespace/name"."""
    realm: str = ""
    is_map: bool = False
    """Whether each key of the Secret is a user; otherwise the key `auth` is a file of htpasswd."""


@dataclass(frozen=True, slots=True)
class Cors:
    """Which pages of other origins may read answers."""

    origins: tuple[str, ...] = ("*",)
    methods: str = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
    headers: str = (
        "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization"
    )
    exposed: str = ""
    credentials: bool = True
    max_age: int = 1728000
    """Seconds."""


@dataclass(frozen=True, slots=True)
class ExternalAuth:
    """Another server that is asked whether a request may pass."""

    url: str
    sign_in: str = ""
    answer_headers: tuple[str, ...] = ()
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything annotations can ask for; the defaults are those of an Ingress without any."""

    ssl_redirect: bool = True
    force_ssl_redirect: bool = False
    use_regex: bool = False
    rewrite_target: str = ""
    body_size: int = 0
    """The longest request body in bytes; 0 for any length."""
    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = 0
    """The longest silence of the app; 0: `FIRST_BYTE_SECONDS` before its answer, none after."""
    send_seconds: float = 0
    protocol: str = "HTTP"
    """HTTP, HTTPS, GRPC or GRPCS."""
    allowed: tuple[str, ...] = ()
    """Networks that clients may come from; () for all."""
    denied: tuple[str, ...] = ()
    closed: bool = False
    """Whether nobody is let in: what says who is could not be read."""
    basic_auth: BasicAuth | None = None
    external_auth: ExternalAuth | None = None
    cors: Cors | None = None
    redirect: Redirect | None = None
    app_root: str = ""
    affinity_cookie: str = ""
    balancing: str = "round_robin"
    """A selection policy of Caddy's."""
    balance_header: str = ""
    aliases: tuple[str, ...] = ()
    www_redirect: bool = False
    upstream_host: str = ""
    prefix_header: str = ""
    """X-Forwarded-Prefix."""
    answer_headers: str = ""
    """The ConfigMap with headers that answers get."""
    by_service: bool = False
    """Whether to go through the Service's own address."""


PLAIN = Settings()
