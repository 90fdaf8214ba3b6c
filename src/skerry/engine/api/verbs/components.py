"""`componentstatuses`: how the parts of the control plane are, looked at when somebody asks, never stored.

Deprecated since Kubernetes 1.19 and still asked for (`kubectl get cs`). Here all parts are one process; each says what
it knows of itself (`Health.components`). Source: Kubernetes' `pkg/registry/core/componentstatus`.
"""

from __future__ import annotations

import orjson

from skerry.engine.api.backend import Backend
from skerry.engine.api.options import list_options
from skerry.engine.api.request import Request
from skerry.engine.api.response import Listing, Response, Stored
from skerry.engine.api.selection import select
from skerry.engine.store.contract import Entry, Key
from skerry.kube.errors import not_found
from skerry.kube.objects import Obj

RESOURCE = "componentstatuses"


async def get_component(backend: Backend, request: Request) -> Response:
    """One part. Raises NotFound."""
    target = request.what
    check = backend.health.components.get(target.name)
    if check is None:
        raise not_found(target.group_resource, target.name)
    return Stored(target.kind, _entry(target.name, check()))


async def list_components(backend: Backend, request: Request) -> Response:
    """All parts. Raises BadRequest, Invalid."""
    options = list_options(request.query)
    selection = select(request.what.kind, options.label_selector, options.field_selector)
    parts = [_entry(name, check()) for name, check in sorted(backend.health.components.items())]
    return Listing(request.what.kind, [entry for entry in parts if selection.matches(entry)], backend.store.revision)


def _entry(name: str, problem: str) -> Entry:
    condition = {"type": "Healthy", "status": "False" if problem else "True", "message": problem or "ok"}
    part: Obj = {
        "kind": "ComponentStatus",
        "apiVersion": "v1",
        "metadata": {"name": name, "creationTimestamp": None},
        "conditions": [condition],
    }
    return Entry(Key(RESOURCE, "", name), 0, orjson.dumps(part))
