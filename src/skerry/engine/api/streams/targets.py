"""What a streaming request asks for: which container, which streams, which ports. Pure checks, Kubernetes' wording.

Source: Kubernetes `pkg/registry/core/pod/strategy.go` (containers) and the kubelet's `remotecommand` options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from skerry.engine.api.pod_access import StreamOptions
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record

Query = Mapping[str, Sequence[str]]


@record
class Target:
    """An exec or attach. `command` is empty for attach."""

    container: str
    options: StreamOptions
    command: Sequence[str] = ()


def parse_query(query_string: bytes) -> Query:
    """Parameters with all their values, in order (`command=ls&command=-l`)."""
    return parse_qs(query_string.decode("latin-1"), keep_blank_values=True)


def command_target(pod: Obj, query: Query, *, attach: bool) -> Target:
    """What to run or join. Raises BadRequest."""
    container = choose_container(pod, first(query, "container"))
    check_assigned(pod)
    command = [] if attach else list(query.get("command", ()))
    if not attach and not any(command):
        raise BadRequest("you must specify at least one command for the container")
    tty = flag(query, "tty")
    options = StreamOptions(
        stdin=flag(query, "stdin"),
        stdout=flag(query, "stdout"),
        stderr=flag(query, "stderr") and not tty,  # a terminal has one output only; the kubelet drops it likewise
        tty=tty,
    )
    if not (options.stdin or options.stdout or options.stderr):
        raise BadRequest("you must specify at least 1 of stdin, stdout, stderr")
    return Target(container, options, command)


def choose_container(pod: Obj, asked: str) -> str:
    """The container asked for, or the only one. Raises BadRequest when there is no such or no single one."""
    spec, name = pod.get("spec", {}), name_of(pod)
    regular, initial = _names(spec, "containers"), _names(spec, "initContainers")
    if asked:
        if asked not in (*regular, *initial, *_names(spec, "ephemeralContainers")):
            raise BadRequest(f"container {asked} is not valid for pod {name}")
        return asked
    if len(regular) == 1:
        return regular[0]
    message = f"a container name must be specified for pod {name}, choose one of: [{' '.join(regular)}]"
    if initial:
        message += f" or one of the init containers: [{' '.join(initial)}]"
    raise BadRequest(message)


def check_assigned(pod: Obj) -> None:
    """Raise BadRequest while the pod has no node."""
    if not pod.get("spec", {}).get("nodeName"):
        raise BadRequest(f"pod {name_of(pod)} does not have a host assigned")


def forwarded_ports(query: Query) -> list[int]:
    """The ports of a channel-based port-forward: `ports=80,443` or repeated. Raises BadRequest."""
    texts = [text for value in query.get("ports", ()) for text in value.split(",")]
    if not texts:
        raise BadRequest('query parameter "ports" is required')
    return [port_number(text) for text in texts]


def port_number(text: str) -> int:
    """A TCP port. Raises BadRequest."""
    if not (text.isdecimal() and text.isascii() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise BadRequest(f"invalid port {text[:32]!r}: must be between 1 and 65535, inclusive")
    return int(text)


def first(query: Query, name: str) -> str:
    """A parameter's first value, "" when absent."""
    values = query.get(name)
    return values[0] if values else ""


def flag(query: Query, name: str) -> bool:
    """A boolean parameter as apimachinery reads it: absent, "0" and "false" are false, anything else is true."""
    return name in query and first(query, name).lower() not in ("0", "false")


def _names(spec: Mapping[str, Any], field: str) -> list[str]:
    return [str(container.get("name", "")) for container in spec.get(field) or ()]
