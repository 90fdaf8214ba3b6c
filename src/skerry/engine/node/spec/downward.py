"""The downward API: fields of a pod and resources of its containers as text, for environment and files.

Source: `pkg/fieldpath` and `pkg/api/v1/resource` of Kubernetes. Raises `ConfigError` for what cannot be given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from skerry.engine.node.errors import ConfigError
from skerry.engine.node.pods.state import all_containers
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, namespace_of, uid_of
from skerry.kube.quantities import parse_quantity
from skerry.kube.records import record

_SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['(.+)'\]$")


@record
class NodeFacts:
    """What of the node pods may see: its name, its addresses, what it can give ("cpu": cores, "memory": bytes)."""

    name: str
    ips: tuple[str, ...]
    allocatable: Mapping[str, Decimal]


@record
class PodFacts:
    """A pod with what only the node knows of it."""

    pod: Obj
    node: NodeFacts
    ips: tuple[str, ...] = ()


def field_value(facts: PodFacts, path: str) -> str:
    """The value of a `fieldRef.fieldPath`."""
    subscript = _SUBSCRIPT.match(path)
    if subscript:
        entries = labels_of(facts.pod) if subscript.group(1) == "labels" else annotations_of(facts.pod)
        return str(entries.get(subscript.group(2), ""))
    reader = _FIELDS.get(path)
    if reader is None:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return reader(facts)


def format_map(entries: Mapping[str, str]) -> str:
    """Labels or annotations as a file: one `key="value"` a line, sorted, quoted as Go does."""
    return "\n".join(f"{key}={_quoted(value)}" for key, value in sorted(entries.items()))


def _quoted(value: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(character, character) for character in value) + '"'


_FIELDS: dict[str, Callable[[PodFacts], str]] = {
    "metadata.name": lambda facts: name_of(facts.pod),
    "metadata.namespace": lambda facts: namespace_of(facts.pod),
    "metadata.uid": lambda facts: uid_of(facts.pod),
    "metadata.labels": lambda facts: format_map(labels_of(facts.pod)),
    "metadata.annotations": lambda facts: format_map(annotations_of(facts.pod)),
    "spec.nodeName": lambda facts: facts.node.name,
    "spec.serviceAccountName": lambda facts: str(facts.pod["spec"].get("serviceAccountName") or "default"),
    "status.hostIP": lambda facts: facts.node.ips[0],
    "status.hostIPs": lambda facts: ",".join(facts.node.ips),
    "status.podIP": lambda facts: facts.ips[0] if facts.ips else "",
    "status.podIPs": lambda facts: ",".join(facts.ips),
}


def resource_value(facts: PodFacts, reference: Obj, container_name: str) -> str:
    """The value of a `resourceFieldRef`, divided by its divisor and rounded up. A limit that is not set is the pod's,
    or else what the node can give."""
    name = reference.get("containerName") or container_name
    container = _container(facts.pod, name)
    kind, _, resource = str(reference["resource"]).partition(".")
    if kind not in ("limits", "requests") or resource not in ("cpu", "memory", "ephemeral-storage"):
        raise ConfigError(f"unsupported container resource: {reference['resource']}")
    resources = container.get("resources") or {}
    amount = (resources.get(kind) or {}).get(resource)
    value = parse_quantity(amount) if amount is not None else _default(facts, kind, resource)
    divisor = parse_quantity(reference.get("divisor") or 1) or Decimal(1)
    return str(math.ceil(value / divisor))


def _default(facts: PodFacts, kind: str, resource: str) -> Decimal:
    if kind != "limits":
        return Decimal(0)
    whole = ((facts.pod["spec"].get("resources") or {}).get("limits") or {}).get(resource)
    return parse_quantity(whole) if whole is not None else facts.node.allocatable.get(resource, Decimal(0))


def _container(pod: Obj, name: str) -> Obj:
    for container in all_containers(pod):
        if container["name"] == name:
            return container
    raise ConfigError(f"container {name} not found")
