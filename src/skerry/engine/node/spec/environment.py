"""A container's environment: `envFrom`, `env` with its sources, service variables, and `$(NAME)` in all of them.

Source of the behaviour: the kubelet's `makeEnvironmentVariables`. What has to be read from the API is handed in as
`Sources`, so the composition itself is pure. Later entries win: services, then envFrom, then env.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from skerry.engine.node.errors import ConfigError
from skerry.engine.node.spec.downward import PodFacts, field_value, resource_value
from skerry.engine.node.spec.env_file import value_of
from skerry.engine.node.spec.expansion import expand
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.records import record

Reference = tuple[str, str]
"""("ConfigMap" or "Secret", name), in the pod's namespace."""

EnvFile = tuple[str, str]
"""(volume, path inside it) of a file with variables."""

_ENV_NAME = re.compile(r"^[\x20-\x3c\x3e-\x7e]+$")  # printable ASCII without "=" (relaxed names, Kubernetes 1.34)


@record
class Sources:
    """Objects and files the environment refers to (None: does not exist), services of the namespaces that count."""

    objects: Mapping[Reference, Obj | None]
    services: tuple[Obj, ...] = ()
    files: Mapping[EnvFile, str | None] = field(default_factory=dict)


def references(container: Obj) -> set[Reference]:
    """What has to be read from the API before `environment` can be called."""
    found: set[Reference] = set()
    for source in container.get("envFrom") or ():
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if source.get(key):
                found.add((kind, source[key].get("name", "")))
    for variable in container.get("env") or ():
        value_from = variable.get("valueFrom") or {}
        for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            if value_from.get(key):
                found.add((kind, value_from[key].get("name", "")))
    return found


def env_files(container: Obj) -> set[EnvFile]:
    """What has to be read from volumes before `environment` can be called."""
    listed = ((variable.get("valueFrom") or {}).get("fileKeyRef") for variable in container.get("env") or ())
    return {(reference["volumeName"], reference["path"]) for reference in listed if reference}


def environment(facts: PodFacts, container: Obj, sources: Sources) -> dict[str, str]:
    """Names and values, in order. Raises ConfigError for a missing object or key that is not optional."""
    result = dict(service_variables(sources.services, namespace_of(facts.pod), _links(facts.pod)))
    services = dict(result)
    for source in container.get("envFrom") or ():
        result.update(_all_of(source, sources))
    for variable in container.get("env") or ():
        name = variable["name"]
        if variable.get("valueFrom"):
            value = _from(variable["valueFrom"], facts, container["name"], sources)
            if value is None:
                continue
        else:
            value = expand(str(variable.get("value") or ""), {**services, **result})
        result[name] = value
    return result


def data_of(kind: str, obj: Obj) -> dict[str, bytes]:
    """The data of a ConfigMap (text and binary) or Secret."""
    binary = obj.get("data" if kind == "Secret" else "binaryData") or {}
    data = {key: base64.b64decode(value) for key, value in binary.items()}
    if kind == "ConfigMap":
        data.update({key: value.encode() for key, value in (obj.get("data") or {}).items()})
    return data


def _links(pod: Obj) -> bool:
    return pod["spec"].get("enableServiceLinks") is not False


def _lookup(reference: Obj, kind: str, sources: Sources) -> Obj | None:
    """The object, None when it is absent and optional."""
    name = reference.get("name", "")
    obj = sources.objects.get((kind, name))
    if obj is None and not reference.get("optional"):
        raise ConfigError(f'{kind.lower()} "{name}" not found')
    return obj


def _all_of(source: Obj, sources: Sources) -> Iterator[tuple[str, str]]:
    for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if not source.get(key):
            continue
        obj = _lookup(source[key], kind, sources)
        for name, value in sorted(data_of(kind, obj).items()) if obj else ():
            full = f"{source.get('prefix') or ''}{name}"
            if _ENV_NAME.match(full):
                yield full, _text(value)


def _from(source: Obj, facts: PodFacts, container_name: str, sources: Sources) -> str | None:
    """The value of a `valueFrom`; None when it is optional and absent."""
    if source.get("fieldRef"):
        return field_value(facts, source["fieldRef"]["fieldPath"])
    if source.get("resourceFieldRef"):
        return resource_value(facts, source["resourceFieldRef"], container_name)
    for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if source.get(key):
            return _key_of(source[key], kind, sources, namespace_of(facts.pod))
    if source.get("fileKeyRef"):
        return _file_key(source["fileKeyRef"], sources)
    raise ConfigError(f"unsupported env valueFrom: {', '.join(source) or 'empty'}")


def _key_of(reference: Obj, kind: str, sources: Sources, namespace: str) -> str | None:
    obj = _lookup(reference, kind, sources)
    data = data_of(kind, obj) if obj else {}
    key = reference.get("key", "")
    if key in data:
        return _text(data[key])
    if reference.get("optional"):
        return None
    raise ConfigError(f"couldn't find key {key} in {kind} {namespace}/{reference.get('name', '')}")


def _file_key(reference: Obj, sources: Sources) -> str | None:
    path, key = reference["path"], reference["key"]
    text = sources.files.get((reference["volumeName"], path))
    value = value_of(text, key) if text is not None else None
    if value is None and not reference.get("optional"):
        raise ConfigError(f'environment variable key "{key}" not found in file "{path}"')
    return value


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise ConfigError("an environment variable's value is not valid UTF-8") from error


def service_variables(services: Iterable[Obj], namespace: str, links: bool) -> Iterator[tuple[str, str]]:
    """`WEB_SERVICE_HOST` and its kin for every service with an address: those of the namespace when `links`, and
    always `default/kubernetes` (the kubelet's `getServiceEnvVarMap`, docker-link style)."""
    for service in sorted(services, key=name_of):
        master = (namespace_of(service), name_of(service)) == ("default", "kubernetes")
        if not master and not (links and namespace_of(service) == namespace):
            continue
        spec = service.get("spec") or {}
        if spec.get("clusterIP") not in (None, "", "None") and spec.get("ports"):
            yield from _variables_of(name_of(service), spec)


def _variables_of(name: str, spec: Obj) -> Iterator[tuple[str, str]]:
    prefix, address = name.upper().replace("-", "_"), spec["clusterIP"]
    yield f"{prefix}_SERVICE_HOST", address
    yield f"{prefix}_SERVICE_PORT", str(spec["ports"][0]["port"])
    for port in spec["ports"]:
        if port.get("name"):
            yield f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}", str(port["port"])
    for position, port in enumerate(spec["ports"]):
        protocol = str(port.get("protocol") or "TCP")
        url = f"{protocol.lower()}://{address}:{port['port']}"
        if position == 0:
            yield f"{prefix}_PORT", url
        link = f"{prefix}_PORT_{port['port']}_{protocol.upper()}"
        yield from (
            (link, url),
            (f"{link}_PROTO", protocol.lower()),
            (f"{link}_PORT", str(port["port"])),
            (f"{link}_ADDR", address),
        )
