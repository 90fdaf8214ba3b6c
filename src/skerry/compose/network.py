"""How services find each other and are reached: Services, aliases, Ingresses."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.compose.application import Application, dns_label, is_dns_label
from skerry.compose.notes import About
from skerry.compose.workloads import is_job
from skerry.kube.objects import Obj

_WEB = frozenset({80, 3000, 4000, 5000, 5173, 8000, 8008, 8080, 8081, 8088, 8888, 9000})
"""Ports that answer HTTP more often than not."""
_KNOWN = {
    "postgres": (5432,), "postgis": (5432,), "mysql": (3306,), "mariadb": (3306,), "redis": (6379,), "valkey": (6379,),
    "mongo": (27017,), "memcached": (11211,), "rabbitmq": (5672, 15672), "nginx": (80,), "httpd": (80,),
    "elasticsearch": (9200,), "opensearch": (9200,), "minio": (9000, 9001), "nats": (4222,), "solr": (8983,),
}  # fmt: skip
"""What images listen on, by the last part of their names: Compose never has to say it."""


def network_of(app: Application, service: str, about: About) -> Iterator[Obj]:
    """The Service of a service, one for each other name that it has, and an Ingress for what is published."""
    ports = _ports(app, service)
    if not ports and is_job(app, service):
        return
    for name in _names(app, service, about):
        yield _service(app, service, name, ports)
    if not ports:
        about.different("ports", "no port is known: other pods reach all of its ports by its name, at the pod itself")
    yield from _published(app, service, about)


def _ports(app: Application, service: str) -> dict[tuple[int, str], None]:
    """Port and protocol, each once: published, exposed, or known of the image."""
    spec = app.services[service]
    found: dict[tuple[int, str], None] = {}
    for one in spec.get("ports") or ():
        found[int(one["target"]), str(one.get("protocol") or "tcp").upper()] = None
    for one in spec.get("expose") or ():
        number, _, protocol = str(one).partition("/")
        for port in _range(number):
            found[port, (protocol or "tcp").upper()] = None
    image = app.image(service).partition("@")[0].rpartition("/")[2].partition(":")[0]
    for port in _KNOWN.get(image, ()):
        found[port, "TCP"] = None
    return found


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _names(app: Application, service: str, about: About) -> list[str]:
    """The hosts it answers to: its own name, aliases, the container's name."""
    spec = app.services[service]
    own = dns_label(service)
    if own != service:
        about.different("name", f"it is called {own}: change addresses that say {service}")
    networks = spec.get("networks") or {}
    wanted = [alias for one in networks.values() for alias in (one or {}).get("aliases") or ()]
    wanted += [spec["container_name"]] if spec.get("container_name") else []
    names = [own]
    for name in wanted:
        if is_dns_label(name) and name not in names and name not in app.services:
            names.append(name)
        elif not is_dns_label(name):
            about.missing("networks", f"the alias {name} is no name for a Service")
    return names


def _service(app: Application, service: str, name: str, ports: dict[tuple[int, str], None]) -> Obj:
    spec: Obj = {"selector": app.labels(service)}
    if ports:
        spec["ports"] = [
            {"name": f"{protocol.lower()}-{port}", "port": port, "targetPort": port, "protocol": protocol}
            for port, protocol in ports
        ]
    else:
        spec["clusterIP"] = "None"  # its pods' own addresses: no port has to be known
    return {"apiVersion": "v1", "kind": "Service", "metadata": app.metadata(name, service), "spec": spec}


def _published(app: Application, service: str, about: About) -> Iterator[Obj]:
    """One Ingress for the first port that speaks HTTP; what else was published is said."""
    chosen = 0
    for one in app.services[service].get("ports") or ():
        port = int(one["target"])
        published = one.get("published") or port  # without a number, Docker chooses one
        if not chosen and one.get("protocol", "tcp") == "tcp" and (service in app.choices.hosts or port in _WEB):
            chosen = port
            continue
        if port == 443:
            about.different("ports", "443 is not published: the Ingress ends TLS, with the cluster's certificate")
        else:
            forward = f"kubectl port-forward service/{dns_label(service)} {published}:{port}"
            about.different("ports", f"{published} is not published on the machine: {forward}, or type NodePort")
    if chosen:
        host = app.choices.hosts.get(service) or f"{dns_label(service)}.{app.name}.{app.choices.domain}"
        about.different("ports", f"port {chosen} is published as {host}")
        yield _ingress(app, service, host, chosen)


def _ingress(app: Application, service: str, host: str, port: int) -> Obj:
    backend = {"service": {"name": dns_label(service), "port": {"number": port}}}
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": app.metadata(dns_label(service), service),
        "spec": {"rules": [rule]},
    }
