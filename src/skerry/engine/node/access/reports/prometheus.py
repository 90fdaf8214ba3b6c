"""The kubelet's pages for Prometheus: `/metrics`, `/metrics/resource` (what metrics-server reads), `/metrics/cadvisor`.

Pure. Names, labels and units are the kubelet's and cAdvisor's; series nobody here can measure are left out. Source:
`pkg/kubelet/metrics/collectors/resource_metrics.go`, cAdvisor's `metrics/prometheus.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from skerry.engine.node.access.reports.facts import ContainerFacts, NodeFacts, PodFacts, Traffic
from skerry.engine.node.access.volume_reports import VolumeFacts

T = TypeVar("T")
_NANO = 1e9


class Metric(NamedTuple, Generic[T]):
    """A metric, and how its value is read off what it is about."""

    name: str
    type: str
    help: str
    read: Callable[[T], float]


Labels: TypeAlias = Mapping[str, str]

_NODE_RESOURCES: Sequence[Metric[NodeFacts]] = (
    Metric("node_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the node in core-seconds",
           lambda node: node.usage.cpu / _NANO),
    Metric("node_memory_working_set_bytes", "gauge", "Current working set of the node in bytes",
           lambda node: node.usage.working_set),
)  # fmt: skip
_CONTAINER_RESOURCES: Sequence[Metric[ContainerFacts]] = (
    Metric("container_cpu_usage_seconds_total", "counter",
           "Cumulative cpu time consumed by the container in core-seconds", lambda one: one.usage.cpu / _NANO),
    Metric("container_memory_working_set_bytes", "gauge", "Current working set of the container in bytes",
           lambda one: one.usage.working_set),
    Metric("container_start_time_seconds", "gauge", "Start time of the container since unix epoch in seconds",
           lambda one: one.started.timestamp()),
)  # fmt: skip
_POD_RESOURCES: Sequence[Metric[PodFacts]] = (
    Metric("pod_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the pod in core-seconds",
           lambda pod: sum(one.usage.cpu for one in pod.containers) / _NANO),
    Metric("pod_memory_working_set_bytes", "gauge", "Current working set of the pod in bytes",
           lambda pod: sum(one.usage.working_set for one in pod.containers)),
)  # fmt: skip
_SCRAPE_ERROR: Metric[NodeFacts] = Metric(
    "resource_scrape_error", "gauge", "1 if there was an error while getting container metrics, 0 otherwise",
    lambda node: 0,
)  # fmt: skip
_CONTAINERS: Sequence[Metric[ContainerFacts]] = (
    Metric("container_fs_usage_bytes", "gauge", "Number of bytes that are consumed by the container.",
           lambda one: one.disk_used),
    Metric("container_memory_rss", "gauge", "Size of RSS in bytes.", lambda one: one.usage.rss),
    Metric("container_memory_usage_bytes", "gauge", "Current memory usage in bytes, including all memory.",
           lambda one: one.usage.used),
    Metric("container_memory_working_set_bytes", "gauge", "Current working set in bytes.",
           lambda one: one.usage.working_set),
    Metric("container_start_time_seconds", "gauge", "Start time of the container since unix epoch in seconds.",
           lambda one: one.started.timestamp()),
)  # fmt: skip
_CONTAINER_CPU: Metric[ContainerFacts] = Metric(
    "container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.",
    lambda one: one.usage.cpu / _NANO,
)  # fmt: skip
_NETWORK: Sequence[Metric[Traffic]] = (
    Metric("container_network_receive_bytes_total", "counter", "Cumulative count of bytes received",
           lambda one: one.received),
    Metric("container_network_receive_errors_total", "counter", "Cumulative count of errors encountered",
           lambda one: one.received_errors),
    Metric("container_network_transmit_bytes_total", "counter", "Cumulative count of bytes transmitted",
           lambda one: one.sent),
    Metric("container_network_transmit_errors_total", "counter", "Cumulative count of errors encountered",
           lambda one: one.sent_errors),
)  # fmt: skip
_MACHINE: Sequence[Metric[NodeFacts]] = (
    Metric("machine_cpu_cores", "gauge", "Number of logical CPU cores.", lambda node: node.cores),
    Metric("machine_memory_bytes", "gauge", "Amount of memory installed on the machine.", lambda node: node.memory),
)
_OWN_NAME: Metric[NodeFacts] = Metric(
    "kubelet_node_name", "gauge", "The node's name. The count is always 1.", lambda node: 1
)
_OWN_CONTAINERS: Metric[NodeFacts] = Metric(
    "kubelet_running_containers", "gauge", "Number of containers currently running",
    lambda node: sum(len(pod.containers) for pod in node.pods),
)  # fmt: skip
_OWN_PODS: Metric[NodeFacts] = Metric(
    "kubelet_running_pods", "gauge", "Number of pods that have a running pod sandbox", lambda node: len(node.pods)
)
_VOLUMES: Sequence[tuple[str, str, Callable[[VolumeFacts], int | None]]] = (
    ("available_bytes", "Number of available bytes in the volume", lambda one: one.available),
    ("capacity_bytes", "Capacity in bytes of the volume", lambda one: one.capacity),
    ("health_status_abnormal", "Abnormal volume health status. The count is either 1 or 0. 1 indicates the volume is"
     " unhealthy, 0 indicates volume is healthy", lambda one: int(not one.healthy)),
    ("inodes", "Maximum number of inodes in the volume", lambda one: one.inodes),
    ("inodes_free", "Number of free inodes in the volume", lambda one: one.inodes_free),
    ("inodes_used", "Number of used inodes in the volume", lambda one: one.inodes_used),
    ("used_bytes", "Number of used bytes in the volume", lambda one: one.used),
)  # fmt: skip
"""Metrics `kubelet_volume_stats_<name>`."""


def resource_page(facts: NodeFacts) -> str:
    """`/metrics/resource`."""
    at = f" {round(facts.at.timestamp() * 1000)}"
    named = [
        ({"container": one.name, "namespace": pod.namespace, "pod": pod.name}, one)
        for pod in facts.pods
        for one in pod.containers
    ]
    pods = [({"namespace": pod.namespace, "pod": pod.name}, pod) for pod in facts.pods if pod.containers]
    lines = [
        *_lines(_NODE_RESOURCES, [({}, facts)], at),
        *_lines(_CONTAINER_RESOURCES, named, at),
        *_lines(_POD_RESOURCES, pods, at),
        *_lines([_SCRAPE_ERROR], [({}, facts)]),
    ]
    return "\n".join(lines) + "\n"


def container_page(facts: NodeFacts) -> str:
    """`/metrics/cadvisor`."""
    named = [(_labels(pod, one), one) for pod in facts.pods for one in pod.containers]
    traffic = [(_network_labels(pod, pod.traffic), pod.traffic) for pod in facts.pods if pod.traffic is not None]
    lines = [
        *_lines([_CONTAINER_CPU], [({**labels, "cpu": "total"}, one) for labels, one in named]),
        *_lines(_CONTAINERS, named),
        *_lines(_NETWORK, traffic),
        *_lines(_MACHINE, [({}, facts)]),
    ]
    return "\n".join(lines) + "\n"


def own_page(facts: NodeFacts) -> str:
    """`/metrics`: what the node agent says of itself."""
    lines = [
        *_lines([_OWN_NAME], [({"node": facts.name}, facts)]),
        *_lines([_OWN_CONTAINERS], [({"container_state": "running"}, facts)]),
        *_lines([_OWN_PODS], [({}, facts)]),
        *_volume_lines(facts.volumes),
    ]
    return "\n".join(lines) + "\n"


def _volume_lines(volumes: Iterable[VolumeFacts]) -> Iterator[str]:
    """Each claim once, however many pods have it mounted; figures nobody knows are left out."""
    claims = {(one.namespace, one.claim): one for one in volumes if one.claim}
    for name, help_, read in _VOLUMES:
        known = [
            ({"namespace": namespace, "persistentvolumeclaim": claim}, value)
            for (namespace, claim), one in sorted(claims.items())
            if (value := read(one)) is not None
        ]
        yield from _lines([Metric(f"kubelet_volume_stats_{name}", "gauge", help_, float)], known)


def _labels(pod: PodFacts, one: ContainerFacts) -> Labels:
    return {
        "container": one.name, "id": f"/kubepods/pod{pod.uid}/{one.id}", "image": one.image, "name": one.id,
        "namespace": pod.namespace, "pod": pod.name,
    }  # fmt: skip


def _network_labels(pod: PodFacts, traffic: Traffic) -> Labels:
    return {
        "container": "", "id": f"/kubepods/pod{pod.uid}", "image": "", "interface": traffic.interface, "name": "",
        "namespace": pod.namespace, "pod": pod.name,
    }  # fmt: skip


def _lines(metrics: Iterable[Metric[T]], about: Sequence[tuple[Labels, T]], at: str = "") -> Iterator[str]:
    """Prometheus' text format 0.0.4. `at`: when it was measured, to stand behind each value."""
    for metric in metrics if about else ():
        yield f"# HELP {metric.name} {metric.help}"
        yield f"# TYPE {metric.name} {metric.type}"
        for labels, one in about:
            yield f"{metric.name}{_written(labels)} {float(metric.read(one)):.17g}{at}"


def _written(labels: Mapping[str, str]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items())]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
