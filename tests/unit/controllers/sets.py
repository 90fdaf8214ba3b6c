"""StatefulSets and DaemonSets as the pure functions of their controllers get them."""

from __future__ import annotations

from typing import Any

from skerry.engine.controllers.history.revisions import build_revision
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import DAEMON_SETS, STATEFUL_SETS

from .builders import pod


def stateful_set(replicas: int = 3, image: str = "old", **spec: Any) -> Obj:
    """A StatefulSet in order, with a rolling update, unless `spec` says otherwise. `status` goes beside the spec."""
    status = spec.pop("status", {})
    body = {
        "replicas": replicas,
        "serviceName": "web",
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}},
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        **spec,
    }
    metadata = {"name": "web", "namespace": "ns", "uid": "uid-web", "generation": 1}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": body, "status": status}


def revision(owner: Obj, number: int = 1) -> Obj:
    """The revision of a StatefulSet's template."""
    return build_revision(owner, STATEFUL_SETS, "controller.kubernetes.io/hash", number, 0)


def member(ordinal: int, of: Obj, **fields: Any) -> Obj:
    """A running pod of a StatefulSet, made from the revision `of`."""
    name = f"web-{ordinal}"
    labels = {
        "app": "web",
        "controller-revision-hash": name_of(of),
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(ordinal),
    }
    return pod(name, labels=labels, **fields)


def daemon_set(*, surge: Any = 0, unavailable: Any = 1, **spec: Any) -> Obj:
    """A DaemonSet with a rolling update."""
    pod_spec = {"containers": [{"name": "app", "image": "new"}], **spec.pop("pod", {})}
    body = {
        "selector": {"matchLabels": {"app": "agent"}},
        "template": {"metadata": {"labels": {"app": "agent"}}, "spec": pod_spec},
        "updateStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
        },
        **spec,
    }
    metadata = {"name": "agent", "namespace": "ns", "uid": "uid-agent", "generation": 1}
    return {"apiVersion": "apps/v1", "kind": DAEMON_SETS.kind, "metadata": metadata, "spec": body, "status": {}}


def daemon(node: str, made_of: str = "new", **fields: Any) -> Obj:
    """A running daemon pod on a node, of the revision hash `made_of`."""
    name = fields.pop("name", f"agent-{node}-{made_of}")
    return pod(name, node=node, labels={"app": "agent", "controller-revision-hash": made_of}, **fields)
