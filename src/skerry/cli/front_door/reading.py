"""A FrontDoor from YAML: `read` gives it, or says everything that is wrong with it, by path.

Neighbours: `fields` collects the mistakes, `resource` is the outcome, `consistency` compares fields with each other,
`discovery` has filled in what clusters were asked for.
Values end up in configuration files of other programs: what is let through here has no white space, quotes or comment
signs in it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from skerry.cli.front_door.consistency import mistakes_between
from skerry.cli.front_door.discovery import USUAL_SERVICE
from skerry.cli.front_door.fields import Fields
from skerry.cli.front_door.resource import (
    Api,
    BackendTls,
    Balancer,
    Check,
    Cluster,
    FrontDoor,
    Ingress,
    Route,
    Server,
    Timeouts,
    VirtualAddress,
    Web,
)

API_VERSION = "skerry.dev/v1alpha1"
KIND = "FrontDoor"

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAME = _LABEL, "lower case letters, digits and -, at most 63"
_HOST_NAME = rf"{_LABEL}(\.{_LABEL})*"
_HOST = rf"\*|(\*\.)?{_HOST_NAME}", "a host name, *.domain or *"
_ADDRESS = rf"{_HOST_NAME}|[0-9a-f:]*:[0-9a-f:.]*", "an IP address or a host name"
_PATH = r"/[!$%&()*+,\-./0-9:;=?@A-Z_a-z~]*", "a path that begins with /"
_FILE = r"/[-+.,@0-9A-Z_a-z/]*", "an absolute path without spaces"
_INTERFACE = r"[-.@0-9A-Z_a-z]{1,15}", "a network interface's name"
_PASSWORD = re.compile(r"[-+./0-9:=A-Z_a-z]{1,8}")


class NotUsable(ValueError):
    """What is wrong with a document: `mistakes`, each with its path."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def read(document: Any, directory: Path) -> FrontDoor:
    """The FrontDoor in a document; `directory` is where relative password files are looked for. Raises NotUsable."""
    mistakes: list[str] = []
    top = Fields(document, "", mistakes)
    for name, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        top.text(name, re.escape(wanted), form=wanted)
    metadata = top.child("metadata")
    name = metadata.text("name", *_named())
    metadata.end()
    if not top.has("spec"):
        top.wrong("spec", "Required value")
    found = _spec(name, top.child("spec"), directory)
    top.end()
    mistakes = mistakes or mistakes_between(found)
    if mistakes:
        raise NotUsable(mistakes)
    return found


def _spec(name: str, spec: Fields, directory: Path) -> FrontDoor:
    found = FrontDoor(
        name=name,
        balancers=tuple(_balancer(one) for one in spec.children("balancers")),
        virtual=_virtual(spec.child("virtualAddress"), directory) if spec.has("virtualAddress") else None,
        web=_web(spec.child("web")) if spec.has("web") else None,
        clusters=tuple(_cluster(one) for one in spec.children("clusters")),
        timeouts=_timeouts(spec.child("timeouts")),
    )
    spec.end()
    return found


def _balancer(one: Fields) -> Balancer:
    interface = one.text("interface", _INTERFACE[0], "", _INTERFACE[1]) or None
    found = Balancer(one.text("name", *_named()), one.text("address", _ADDRESS[0], form=_ADDRESS[1]), interface)
    one.end()
    return found


def _virtual(one: Fields, directory: Path) -> VirtualAddress:
    found = VirtualAddress(
        addresses=one.texts(
            "addresses", r"[0-9a-f.:]+/[0-9]+", "an address with its prefix length, like 10.0.1.128/24"
        ),
        interface=one.text("interface", _INTERFACE[0], form=_INTERFACE[1]),
        router_id=one.number("routerId", 1, 255),
        preempt=one.flag("preempt", True),
        password=_password(one, directory),
    )
    one.end()
    return found


def _password(one: Fields, directory: Path) -> str | None:
    """What the file says; keepalived would cut a longer one silently."""
    path = one.text("passwordFile", r"[^\0]+", "", "the path of a file")
    if not path:
        return None
    try:
        password = (directory / path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        one.wrong("passwordFile", f"cannot read {directory / path}: {reason}")
        return None
    if not _PASSWORD.fullmatch(password):
        one.wrong("passwordFile", "a VRRP password has 1 to 8 letters, digits or -+./:=_ (longer ones are cut by VRRP)")
    return password


def _web(one: Fields) -> Web:
    tls = one.child("tls")
    found = Web(
        routes=tuple(_route(route) for route in one.children("routes")),
        certificates=tls.text("certificates", _FILE[0], form=_FILE[1]) if one.has("tls") else None,
        challenges=_server(one.child("challenges"), 80, "certbot") if one.has("challenges") else None,
        http_port=one.number("httpPort", 1, 65535, 80),
        https_port=one.number("httpsPort", 1, 65535, 443),
    )
    tls.end()
    one.end()
    return found


def _route(one: Fields) -> Route:
    one.texts("hostsOf", *_NAME)  # `discovery` has added them to the hosts
    health = one.child("health")
    found = Route(
        name=one.text("name", *_named()),
        hosts=one.texts("hosts", *_HOST),
        active=one.texts("active", *_NAME),
        backup=one.texts("backup", *_NAME),
        health_path=health.text("path", _PATH[0], form=_PATH[1]) if one.has("health") else None,
        health_host=health.text("host", _HOST_NAME, "", "a host name") or None,
    )
    health.end()
    one.end()
    return found


def _cluster(one: Fields) -> Cluster:
    _kubeconfig(one.child("kubeconfig"), one.has("kubeconfig"))
    found = Cluster(
        name=one.text("name", *_named()),
        ingress=_ingress(one.child("ingress")) if one.has("ingress") else None,
        api=_api(one.child("api")) if one.has("api") else None,
    )
    one.end()
    return found


def _kubeconfig(one: Fields, given: bool) -> None:
    """`discovery` has used it before."""
    if given:
        one.text("file", r"[^\0]+", form="the path of a file")
        one.text("context", r"[^\0]+", "")
        one.text("service", rf"{_LABEL}/{_LABEL}", USUAL_SERVICE, "namespace/name")
    one.end()


def _ingress(one: Fields) -> Ingress:
    tls = one.child("tls")
    found = Ingress(
        servers=_servers(one, 443 if one.has("tls") else 80),
        tls=_backend_tls(tls, None) if one.has("tls") else None,
        check=_check(one.child("check")),
    )
    tls.end()
    one.end()
    return found


def _api(one: Fields) -> Api:
    health = one.child("health")
    found = Api(
        listen=one.number("listen", 1, 65535, 6443),
        servers=_servers(one, 6443),
        tls=_backend_tls(one.child("tls"), "kubernetes"),
        check=_check(one.child("check")),
        health_path=health.text("path", _PATH[0], "/readyz", _PATH[1]),
    )
    health.end()
    one.end()
    return found


def _servers(one: Fields, usual_port: int) -> tuple[Server, ...]:
    port = one.number("port", 1, 65535, usual_port)
    return tuple(_server(server, port) for server in one.children("servers"))


def _server(one: Fields, port: int, name: str | None = None) -> Server:
    named = name or one.text("name", *_named())
    found = Server(named, one.text("address", _ADDRESS[0], form=_ADDRESS[1]), one.number("port", 1, 65535, port))
    one.end()
    return found


def _backend_tls(one: Fields, usual_name: str | None) -> BackendTls:
    found = BackendTls(
        ca_file=one.text("caFile", _FILE[0], form=_FILE[1]),
        server_name=one.text("serverName", _HOST_NAME, usual_name or "", "a host name") or None,
        verify_name=one.flag("verifyName", True),
    )
    if not found.verify_name and one.has("serverName"):
        one.wrong("serverName", "has no meaning with verifyName: false")
    one.end()
    return found


def _check(one: Fields) -> Check:
    found = Check(
        interval=one.seconds("interval", "2s"),
        fall=one.number("fall", 1, 100, 3),
        rise=one.number("rise", 1, 100, 2),
    )
    one.end()
    return found


def _timeouts(one: Fields) -> Timeouts:
    found = Timeouts(
        connect=one.seconds("connect", "3s"),
        headers=one.seconds("headers", "10s"),
        idle=one.seconds("idle", "5m"),
        keep_alive=one.seconds("keepAlive", "1m"),
        tunnel=one.seconds("tunnel", "1h"),
    )
    one.end()
    return found


def _named() -> tuple[str, None, str]:
    pattern, form = _NAME
    return pattern, None, form
