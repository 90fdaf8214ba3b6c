"""Refusals by name of what Kubernetes has and this server does not (yet)."""

from __future__ import annotations

from skerry.engine.api.request import Target
from skerry.kube.errors import MethodNotAllowed, NotFound, StatusError


class NotSupported(StatusError):
    """501: Kubernetes has it, this server says so by name instead of pretending."""

    code, reason = 501, "NotImplemented"


def no_such_path() -> NotFound:
    """What Kubernetes says of a path nobody serves."""
    return NotFound("the server could not find the requested resource")


def method_not_allowed(target: Target | None = None) -> MethodNotAllowed:
    """What Kubernetes says of a verb a resource does not have."""
    details = {}
    if target is not None:
        resource = target.kind.resource
        details = {key: value for key, value in (("group", resource.group), ("kind", resource.plural)) if value}
    return MethodNotAllowed("the server does not allow this method on the requested resource", details)
