"""Rules on probes and lifecycle handlers. Source: `validateProbe`, `validateHandler`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_LIFECYCLE_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")


def check_probes(container: Obj, field: str) -> Iterator[Cause]:
    """The three probes of a container."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is None:
            continue
        yield from _check_probe(probe, f"{field}.{name}")
        if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
            yield invalid(f"{field}.{name}.successThreshold", probe["successThreshold"], "must be 1")
        elif name == "readinessProbe" and probe.get("terminationGracePeriodSeconds") is not None:
            grace = probe["terminationGracePeriodSeconds"]
            yield invalid(f"{field}.{name}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")


def _check_probe(probe: Obj, field: str) -> Iterator[Cause]:
    yield from check_handler(probe, field, _PROBE_HANDLERS)
    for number in _NUMBERS:
        if probe.get(number, 0) < 0:
            yield invalid(f"{field}.{number}", probe[number], NOT_NEGATIVE)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield invalid(f"{field}.terminationGracePeriodSeconds", grace, "must be greater than 0")


def check_lifecycle(lifecycle: Obj, field: str) -> Iterator[Cause]:
    """`postStart` and `preStop`."""
    for name in ("postStart", "preStop"):
        if name in lifecycle:
            yield from check_handler(lifecycle[name], f"{field}.{name}", _LIFECYCLE_HANDLERS)


def check_handler(handler: Obj, field: str, kinds: tuple[str, ...]) -> Iterator[Cause]:
    """Exactly one of the kinds of handler, and that one complete."""
    given = [kind for kind in kinds if handler.get(kind) is not None]
    if not given:
        yield required(field, "must specify a handler type")
    for kind in given[1:]:
        yield forbidden(f"{field}.{kind}", "may not specify more than 1 handler type")
    for kind in given[:1]:
        yield from _check_action(kind, handler[kind], f"{field}.{kind}")


def _check_action(kind: str, action: Obj, field: str) -> Iterator[Cause]:
    if kind == "exec":
        if not action.get("command"):
            yield required(f"{field}.command")
    elif kind == "sleep":
        if action.get("seconds", 0) < 0:
            yield invalid(field, action["seconds"], "must be non-negative and less than terminationGracePeriodSeconds")
    else:
        yield from check_port(action.get("port", 0), f"{field}.port")
        if kind == "httpGet":
            yield from _check_http_get(action, field)


def _check_http_get(action: Obj, field: str) -> Iterator[Cause]:
    if not action.get("path"):
        yield required(f"{field}.path")
    if action.get("scheme", "HTTP") not in ("HTTP", "HTTPS"):
        yield not_supported(f"{field}.scheme", action["scheme"], ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        if not _is_header_name(header.get("name") or ""):
            why = (
                "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used "
                "for validation is '[-A-Za-z0-9]+')"
            )
            yield invalid(f"{field}.httpHeaders", header.get("name", ""), why)


def _is_header_name(name: str) -> bool:
    return bool(name) and name.isascii() and name.replace("-", "a").isalnum()


def check_port(port: Any, field: str) -> Iterator[Cause]:
    """A port by number or by name."""
    complaint = names.port_number(port) if isinstance(port, int) else names.port_name(port)
    if complaint:
        yield invalid(field, port, complaint)
