"""metrics.k8s.io/v1beta1, for `kubectl top` and autoscalers: usage of pods and nodes, measured when asked for.

Nothing is stored: the node measures. Source: the metrics API (k8s.io/metrics) and metrics-server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skerry.engine.api.pod_access import PodAccess
from skerry.kube.errors import BadRequest, not_found
from skerry.kube.objects import Obj, Resource, labels_of, name_of, namespace_of
from skerry.kube.selectors import Selector, SelectorError, parse_selector

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
POD_METRICS = Resource(GROUP, VERSION, "pods", "PodMetrics")
NODE_METRICS = Resource(GROUP, VERSION, "nodes", "NodeMetrics", namespaced=False)


def discovery() -> list[Obj]:
    """The `APIResource` entries of the group's only version."""
    return [
        {
            "name": resource.plural,
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": ["get", "list"],
        }
        for resource in (NODE_METRICS, POD_METRICS)
    ]


async def list_metrics(access: PodAccess, resource: Resource, namespace: str = "", label_selector: str = "") -> Obj:
    """The `PodMetricsList` (of a namespace, "" for all) or `NodeMetricsList`. Raises BadRequest."""
    try:
        selector = parse_selector(label_selector)
    except SelectorError as error:
        raise BadRequest(f"unable to parse requirement: {error}") from error
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": {},
        "items": sorted(_chosen(await _measure(access, resource), namespace, selector), key=_order),
    }


async def get_metrics(access: PodAccess, resource: Resource, name: str, namespace: str = "") -> Obj:
    """The usage of one pod or node. Raises NotFound."""
    for measured in await _measure(access, resource):
        if name_of(measured) == name and namespace_of(measured) == namespace:
            return measured
    raise not_found(resource.group_resource, f"{namespace}/{name}" if namespace else name)


async def _measure(access: PodAccess, resource: Resource) -> Sequence[Obj]:
    return await (access.pod_metrics() if resource == POD_METRICS else access.node_metrics())


def _chosen(measured: Iterable[Obj], namespace: str, selector: Selector) -> Iterable[Obj]:
    return (
        obj
        for obj in measured
        if (not namespace or namespace_of(obj) == namespace) and selector.matches(labels_of(obj))
    )


def _order(obj: Obj) -> tuple[str, str]:
    return namespace_of(obj), name_of(obj)
