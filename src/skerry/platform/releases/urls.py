"""Where people open what a release made. Pure.

Hosts of Ingresses and HTTPRoutes as they are in the manifests; node ports as the API gave them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from skerry.kube.objects import Obj, annotations_of

_PLAIN = ("", "/")
_ACCESS = "skerry.dev/access"
"""Whoever asks for sign-on is reached by https only."""
_SECURED = "nginx.ingress.kubernetes.io/force-ssl-redirect"


def urls_of(objects: Iterable[Obj]) -> list[str]:
    """In the order of the manifests, each once; https where it is served."""
    found = [url for one in objects for url in _of(one)]
    return list(dict.fromkeys(found))


def _of(obj: Obj) -> Iterator[str]:
    spec = obj.get("spec") or {}
    if obj.get("kind") == "Ingress":
        yield from _of_ingress(spec, annotations_of(obj))
    elif obj.get("kind") == "HTTPRoute":
        yield from (f"http://{host}" for host in spec.get("hostnames") or () if "*" not in host)


def _of_ingress(spec: Obj, annotations: Mapping[str, str]) -> Iterator[str]:
    is_secured = annotations.get(_ACCESS, "everyone") != "everyone" or annotations.get(_SECURED) == "true"
    secured = [host for one in spec.get("tls") or () for host in one.get("hosts") or ()]
    for rule in spec.get("rules") or ():
        host = rule.get("host", "")
        if not host or "*" in host:
            continue
        paths = [one.get("path") or "" for one in (rule.get("http") or {}).get("paths") or ()] or [""]
        first = min(paths, key=len)
        yield f"{'https' if is_secured or _is_in(host, secured) else 'http'}://{host}{'' if first in _PLAIN else first}"


def _is_in(host: str, hosts: Iterable[str]) -> bool:
    parent = f"*.{host.partition('.')[2]}"
    return any(one in (host, parent) for one in hosts)


def has_node_ports(obj: Obj) -> bool:
    """Whether people may reach it at the addresses of nodes."""
    return obj.get("kind") == "Service" and (obj.get("spec") or {}).get("type") == "NodePort"


def node_port_urls(services: Iterable[Obj], address: str) -> list[str]:
    """Of Services of type NodePort, as they are in the API; `address` of a node."""
    ports = [port for one in services if has_node_ports(one) for port in one["spec"].get("ports") or ()]
    host = f"[{address}]" if ":" in address else address
    return [
        f"http://{host}:{port['nodePort']}/"
        for port in ports
        if port.get("nodePort") and port.get("protocol", "TCP") == "TCP"
    ]


def address_of(nodes: Iterable[Obj]) -> str:
    """Of any node, as people reach it; "" when none says."""
    listed = [one for node in nodes for one in (node.get("status") or {}).get("addresses") or ()]
    for kind in ("ExternalIP", "InternalIP"):
        for one in listed:
            if one.get("type") == kind:
                return str(one["address"])
    return ""
