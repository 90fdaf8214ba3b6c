"""What a FrontDoor leaves to its clusters: servers, ports and hosts, read through a kubeconfig.

`sources` says whom to ask, `ask` asks, `filled` puts the answers where the document says nothing; then `reading`
judges the whole, as if somebody had written it. Only `ask` does anything. What has the wrong shape is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.kube.objects import Obj, labels_of, name_of
from skerry.kube.resources import ENDPOINT_SLICES, INGRESSES, NODES, SERVICES

USUAL_SERVICE = "kube-system/ingress"
"""Skerry's own; ingress-nginx has ingress-nginx/ingress-nginx-controller."""
_NOT_BALANCED = "node.kubernetes.io/exclude-from-external-load-balancers"


@dataclass(frozen=True, slots=True)
class Source:
    """A cluster that can be asked. `context` None: the kubeconfig's own. `service`: namespace/name of its ingress."""

    cluster: str
    file: str
    context: str | None
    service: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a cluster says of itself. `ports`: node ports of its ingress by the Service's port number."""

    nodes: tuple[tuple[str, str], ...]
    ports: Mapping[int, int]
    api: tuple[tuple[str, int], ...]
    hosts: tuple[str, ...]


def sources(document: Any) -> list[Source]:
    """The clusters with a kubeconfig."""
    return [source for cluster in _clusters(document) if (source := _source(cluster)) is not None]


async def ask(source: Source, directory: Path) -> Found:
    """Ask one cluster. Raises KubeconfigError, StatusError, OSError."""
    from skerry.kube.http_client import HttpClient

    namespace, _, name = source.service.partition("/")
    async with HttpClient.from_kubeconfig(directory / source.file, source.context) as client:
        nodes = (await client.list(NODES)).items
        ingresses = (await client.list(INGRESSES)).items
        slices = (await client.list(ENDPOINT_SLICES, "default")).items
        service = await client.get(SERVICES, name, namespace)
    return Found(balanced_nodes(nodes), node_ports(service), api_servers(slices), hosts(ingresses))


def balanced_nodes(nodes: Iterable[Obj]) -> tuple[tuple[str, str], ...]:
    """Names and addresses of the nodes that want traffic from outside."""
    found = []
    for node in nodes:
        addresses = [
            one["address"] for one in node.get("status", {}).get("addresses") or () if one["type"] == "InternalIP"
        ]
        if addresses and _NOT_BALANCED not in labels_of(node):
            found.append((name_of(node).replace(".", "-"), addresses[0]))
    return tuple(sorted(found))


def node_ports(service: Obj) -> dict[int, int]:
    """The node port of each port that has one."""
    ports = service["spec"].get("ports") or ()
    return {port["port"]: port["nodePort"] for port in ports if port.get("nodePort")}


def api_servers(slices: Iterable[Obj]) -> tuple[tuple[str, int], ...]:
    """Where the API servers are, as the Service `kubernetes` says."""
    ours = [one for one in slices if labels_of(one).get("kubernetes.io/service-name") == "kubernetes"]
    return tuple(
        sorted(
            (address, port["port"])
            for one in ours
            for port in one.get("ports") or ()
            for endpoint in one.get("endpoints") or ()
            for address in endpoint["addresses"]
        )
    )


def hosts(ingresses: Iterable[Obj]) -> tuple[str, ...]:
    """All hosts that Ingresses name."""
    rules = [rule for ingress in ingresses for rule in ingress.get("spec", {}).get("rules") or ()]
    return tuple(sorted({rule["host"] for rule in rules if rule.get("host")}))


def filled(document: Any, found: Mapping[str, Found]) -> Any:
    """The document with what is found in place of what is not written."""
    spec = document["spec"]
    clusters = [_filled(one, found[one["name"]]) if _name(one) in found else one for one in spec["clusters"]]
    web = spec.get("web")
    if isinstance(web, dict) and isinstance(web.get("routes"), list):
        taken = {host for route in web["routes"] for host in _texts(route, "hosts")}
        web = {**web, "routes": [_with_hosts(route, found, taken) for route in web["routes"]]}
        spec = {**spec, "web": web}
    return {**document, "spec": {**spec, "clusters": clusters}}


def _filled(cluster: dict[str, Any], found: Found) -> dict[str, Any]:
    filled = dict(cluster)
    if isinstance(ingress := cluster.get("ingress"), dict):
        usual = 443 if ingress.get("tls") is not None else 80
        servers = [{"name": name, "address": address} for name, address in found.nodes]
        ports = {"port": found.ports[usual]} if usual in found.ports else {}
        filled["ingress"] = {"servers": servers, **ports, **ingress}
    if isinstance(api := cluster.get("api"), dict):
        servers_of_api = [
            {"name": f"api{number}", "address": address, "port": port}
            for number, (address, port) in enumerate(found.api, start=1)
        ]
        filled["api"] = {"servers": servers_of_api, **api}
    return filled


def _with_hosts(route: Any, found: Mapping[str, Found], taken: set[str]) -> Any:
    clusters = _texts(route, "hostsOf")
    more = {host for name in clusters if name in found for host in found[name].hosts} - taken
    return {**route, "hosts": [*_texts(route, "hosts"), *sorted(more)]} if more else route


def _clusters(document: Any) -> Iterator[dict[str, Any]]:
    spec = document.get("spec") if isinstance(document, dict) else None
    clusters = spec.get("clusters") if isinstance(spec, dict) else None
    yield from (one for one in clusters or () if isinstance(one, dict)) if isinstance(clusters, list) else ()


def _source(cluster: dict[str, Any]) -> Source | None:
    given = cluster.get("kubeconfig")
    if not isinstance(given, dict) or not isinstance(given.get("file"), str) or not _name(cluster):
        return None
    context, service = given.get("context"), given.get("service", USUAL_SERVICE)
    if not isinstance(context, str | None) or not isinstance(service, str):
        return None
    return Source(_name(cluster), given["file"], context, service)


def _name(cluster: Any) -> str:
    name = cluster.get("name") if isinstance(cluster, dict) else None
    return name if isinstance(name, str) else ""


def _texts(route: Any, field: str) -> Sequence[str]:
    found = route.get(field) if isinstance(route, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
