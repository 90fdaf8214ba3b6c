"""Ingress. Source: `ValidateIngressSpec`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import invalid, not_supported, required
from skerry.engine.schema.pods.probes import check_port
from skerry.engine.schema.pods.validation import is_ip
from skerry.engine.schema.strategies import SpecStrategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


class IngressStrategy(SpecStrategy):
    """Hosts and paths, and the services behind them."""

    def initial_status(self, obj: Obj) -> None:
        """No address yet."""
        obj["status"] = {"loadBalancer": {}}

    def validate(self, obj: Obj) -> list[Cause]:
        """Rules, paths and backends."""
        return list(_check_spec(obj.get("spec") or {}))


def _check_spec(spec: Obj) -> Iterator[Cause]:
    if not spec.get("rules") and not spec.get("defaultBackend"):
        yield invalid("spec", "", "either `defaultBackend` or `rules` must be specified")
    if spec.get("defaultBackend"):
        yield from _check_backend(spec["defaultBackend"], "spec.defaultBackend")
    if spec.get("ingressClassName") and (complaint := names.subdomain(spec["ingressClassName"])):
        yield invalid("spec.ingressClassName", spec["ingressClassName"], complaint)
    for index, entry in enumerate(spec.get("tls") or ()):
        yield from _check_tls(entry, f"spec.tls[{index}]")
    for index, rule in enumerate(spec.get("rules") or ()):
        yield from _check_host(rule.get("host") or "", f"spec.rules[{index}].host")
        http = rule.get("http")
        if http is not None and not http.get("paths"):
            yield required(f"spec.rules[{index}].http.paths")
        for place, path in enumerate((http or {}).get("paths") or ()):
            yield from _check_path(path, f"spec.rules[{index}].http.paths[{place}]")


def _check_tls(entry: Obj, field: str) -> Iterator[Cause]:
    for index, host in enumerate(entry.get("hosts") or ()):
        if complaint := _complaint(host):
            yield invalid(f"{field}.hosts[{index}]", host, complaint)
    secret = entry.get("secretName")
    if secret and (complaint := names.subdomain(secret)):
        yield invalid(f"{field}.secretName", secret, complaint)


def _check_host(host: str, field: str) -> Iterator[Cause]:
    if is_ip(host):
        yield invalid(field, host, "must be a DNS name, not an IP address")
    elif host and (complaint := _complaint(host)):
        yield invalid(field, host, complaint)


def _complaint(host: str) -> str:
    return (names.wildcard_subdomain if "*" in host else names.subdomain)(host)


def _check_path(path: Obj, field: str) -> Iterator[Cause]:
    kind, place = path.get("pathType"), path.get("path") or ""
    if kind is None:
        yield required(f"{field}.pathType", "pathType must be specified")
    elif kind not in _PATH_TYPES:
        yield not_supported(f"{field}.pathType", kind, _PATH_TYPES)
    elif (place or kind != "ImplementationSpecific") and not place.startswith("/"):
        yield invalid(f"{field}.path", place, "must be an absolute path")
    yield from _check_backend(path.get("backend") or {}, f"{field}.backend")


def _check_backend(backend: Obj, field: str) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is None and resource is None:
        yield required(field, "resource or service backend is required")
    elif service is not None and resource is not None:
        yield invalid(field, "", "cannot set both resource and service backends")
    elif service is not None:
        if not service.get("name"):
            yield required(f"{field}.service.name")
        port = service.get("port") or {}
        if port.get("name") and port.get("number"):
            yield invalid(field, "", "cannot set both port name & port number")
        elif not port.get("name") and not port.get("number"):
            yield required(field, "port name or number is required")
        else:
            yield from check_port(port.get("number") or port.get("name"), f"{field}.service.port")
