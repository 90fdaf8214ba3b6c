"""Ingresses and what they name, and a planner that knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.engine.network.ingress.annotations import PREFIX
from skerry.engine.network.ingress.materials import Certificate, Materials
from skerry.engine.network.ingress.plan import Plan, Planner, Problems
from skerry.kube.objects import Obj


def ingress(
    name: str = "web",
    *rules: Obj,
    namespace: str = "default",
    created: str = "2026-01-01T00:00:00Z",
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> Obj:
    """One Ingress; annotations are nginx's, without their domain."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"{namespace}-{name}",
        "creationTimestamp": created,
        "annotations": {f"{PREFIX}{key}": text for key, text in (annotations or {}).items()},
    }
    return {"metadata": metadata, "spec": {"rules": list(rules), **spec}}


def rule(host: str, *paths: Obj) -> Obj:
    """A rule of an Ingress."""
    return {"host": host, "http": {"paths": list(paths)}}


def path(place: str = "/", service: str = "web", kind: str = "Prefix", port: int | str = 80) -> Obj:
    """A path of a rule."""
    number = {"number": port} if isinstance(port, int) else {"name": port}
    return {"path": place, "pathType": kind, "backend": {"service": {"name": service, "port": number}}}


def service(namespace: str, name: str) -> Obj | None:
    """Every Service is there, but for "missing"."""
    if name == "missing":
        return None
    spec = {"clusterIP": "10.65.0.20", "clusterIPs": ["10.65.0.20"], "ports": [{"name": "http", "port": 80}]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def slices(namespace: str, name: str) -> Sequence[Obj]:
    """Two endpoints of each, named after nobody."""
    endpoints = [{"addresses": [address], "conditions": {"ready": True}} for address in ("10.64.0.5", "10.64.0.6")]
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    return [{"metadata": {}, "addressType": "IPv4", "ports": ports, "endpoints": endpoints}]


def planned(*ingresses: Obj, materials: Materials | None = None) -> tuple[Plan, Problems]:
    """The plan for these Ingresses."""
    planner = Planner(service, slices)
    sites, problems = planner.sites(planner.read(ingresses))
    return Plan(sites, materials or Materials({"": Certificate("fallback", "CERT", "KEY")})), problems
