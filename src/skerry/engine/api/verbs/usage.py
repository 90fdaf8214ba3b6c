"""`metrics.k8s.io`: get and list what is measured, not stored. The figures come from `engine.api.streams.metrics`."""

from __future__ import annotations

from skerry.engine.api.backend import Backend
from skerry.engine.api.pod_access import PodAccess
from skerry.engine.api.request import Request
from skerry.engine.api.response import Computed, Response
from skerry.engine.api.streams.metrics import NODE_METRICS, POD_METRICS, get_metrics, list_metrics
from skerry.engine.schema.contract import Kind
from skerry.kube.errors import ServiceUnavailable

GROUP = POD_METRICS.group
KINDS = tuple(
    Kind(resource, singular="", definition="", verbs=("get", "list")) for resource in (NODE_METRICS, POD_METRICS)
)
"""Served where there is a node."""


async def get_usage(backend: Backend, request: Request) -> Response:
    """The usage of one pod or node. Raises NotFound."""
    target = request.what
    access = _access(backend)
    return Computed(await get_metrics(access, target.kind.resource, target.name, target.namespace))


async def list_usage(backend: Backend, request: Request) -> Response:
    """The usage of all pods (of a namespace) or nodes. Raises BadRequest."""
    target = request.what
    selector = request.query.get("labelSelector", "")
    return Computed(await list_metrics(_access(backend), target.kind.resource, target.namespace, selector))


def _access(backend: Backend) -> PodAccess:
    if backend.pod_access is None:
        raise ServiceUnavailable("this API server has no node to measure")
    return backend.pod_access
