"""Objects as the pure functions of controllers get them, with only what matters spelled out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def ago(seconds: float) -> str:
    """A moment before NOW, as objects carry it."""
    return rfc3339(NOW - timedelta(seconds=seconds))


def pod(name: str, *, ready: bool = True, ready_for: float = 60, age: float = 120, **fields: Any) -> Obj:
    """A running pod on a node. `fields`: labels, annotations, node, phase, ip, restarts, deleting, spec."""
    metadata: Obj = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "creationTimestamp": ago(age)}
    metadata |= {key: fields[key] for key in ("labels", "annotations", "ownerReferences") if key in fields}
    if fields.get("deleting"):
        metadata["deletionTimestamp"] = ago(0)
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": ago(ready_for)}
    status: Obj = {"phase": fields.get("phase", "Running"), "conditions": [condition]}
    if fields.get("ip"):
        status |= {"podIP": fields["ip"], "podIPs": [{"ip": fields["ip"]}]}
    if "restarts" in fields:
        status["containerStatuses"] = [{"restartCount": fields["restarts"]}]
    spec = {"nodeName": fields.get("node", "node"), "containers": [{"name": "app"}], **fields.get("spec", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def node(name: str = "node", *, labels: dict[str, str] | None = None, **fields: Any) -> Obj:
    """A ready node. `fields`: cpu, memory, pods, and what goes into its spec."""
    allocatable = {
        "cpu": fields.pop("cpu", "4"),
        "memory": fields.pop("memory", "8Gi"),
        "pods": fields.pop("pods", "10"),
    }
    metadata = {"name": name, "uid": f"uid-{name}", "labels": labels or {}}
    status = {"allocatable": allocatable, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": fields, "status": status}


def replica_set(name: str, replicas: int, *, available: int | None = None, **fields: Any) -> Obj:
    """A ReplicaSet whose pods are all there. `fields`: age, image, annotations, minReadySeconds, terminating."""
    available = replicas if available is None else available
    image = fields.get("image", name)
    template = {
        "metadata": {"labels": {"app": "web", "pod-template-hash": name}},
        "spec": {"containers": [{"image": image}]},
    }
    annotations = fields.get("annotations", {})
    metadata = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "generation": 1, "annotations": annotations}
    metadata["creationTimestamp"] = ago(fields.get("age", 100))
    counts = {"replicas": replicas, "readyReplicas": available, "availableReplicas": available}
    counts["terminatingReplicas"] = fields.get("terminating", 0)
    spec: Obj = {"replicas": replicas, "template": template, "selector": {"matchLabels": {"app": "web"}}}
    if "minReadySeconds" in fields:
        spec["minReadySeconds"] = fields["minReadySeconds"]
    status = {**{key: count for key, count in counts.items() if count}, "observedGeneration": 1}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec, "status": status}


def deployment(replicas: int, *, image: str = "new", surge: Any = 1, unavailable: Any = 0, **fields: Any) -> Obj:
    """A Deployment with a rolling update, unless `strategy` is given. `fields`: annotations, status, spec fields."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    annotations, status = fields.pop("annotations", {}), fields.pop("status", {})
    metadata = {"name": "web", "namespace": "ns", "uid": "uid-web", "generation": 1, "annotations": annotations}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": image}]}},
        "strategy": rolling,
        "progressDeadlineSeconds": 600,
        **fields,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec, "status": status}


def service(**spec: Any) -> Obj:
    """A Service of the pods labelled app=web, on port 80."""
    metadata = {"name": "web", "namespace": "ns", "uid": "uid-web", "labels": {"team": "a"}}
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    body = {"selector": {"app": "web"}, "ports": ports, "clusterIP": "10.112.0.9", **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body}
