"""Which objects of a project are kept, and as what: manifests that can be applied again elsewhere. Pure.

What controllers make, and what the platform makes for every project, is left out, and from each object what only its
cluster knows. Claims are kept without their volumes: what is in these `data` keeps.
"""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj, Resource, controller_of, labels_of, name_of
from skerry.platform.projects.types import MADE_LABEL

_LEFT_OUT = {
    "events", "events.events.k8s.io", "endpoints", "endpointslices.discovery.k8s.io", "leases.coordination.k8s.io",
    "pods.metrics.k8s.io", "usagereports.skerry.dev", "controllerrevisions.apps", "csistoragecapacities.storage.k8s.io",
}  # fmt: skip
_MADE_EVERYWHERE = {("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")}
_OF_THE_CLUSTER = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences",
                   "finalizers", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds")  # fmt: skip
_OF_THE_CONTROLLER = (
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "job-name",
    "batch.kubernetes.io/job-name",
)


def is_kept_kind(resource: Resource) -> bool:
    """Whether its objects are somebody's will."""
    return resource.group_resource not in _LEFT_OUT


def is_kept(resource: Resource, obj: Obj) -> bool:
    """Whether somebody has made it, and nothing would make it again."""
    is_made = controller_of(obj) is not None or MADE_LABEL in labels_of(obj)
    token = obj.get("type") == "kubernetes.io/service-account-token"
    return not is_made and not token and (resource.group_resource, name_of(obj)) not in _MADE_EVERYWHERE


def manifest(resource: Resource, obj: Obj) -> Obj:
    """As it would be applied."""
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _OF_THE_CLUSTER}
    whole = {name: value for name, value in obj.items() if name not in ("status", "metadata")}
    cleaned = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **whole}
    clean = _CLEANERS.get(resource.group_resource)
    return clean(cleaned) if clean else cleaned


def _service(obj: Obj) -> Obj:
    spec = obj.get("spec") or {}
    if spec.get("clusterIP") == "None":
        return obj
    return {**obj, "spec": _without(spec, "clusterIP", "clusterIPs")}


def _claim(obj: Obj) -> Obj:
    annotations = obj["metadata"].get("annotations") or {}
    kept = {name: one for name, one in annotations.items() if "volume" not in name.partition("/")[0] and
            not name.startswith("pv.kubernetes.io/")}  # fmt: skip
    return {**obj, "spec": _without(obj["spec"], "volumeName"), "metadata": {**obj["metadata"], "annotations": kept}}


def _job(obj: Obj) -> Obj:
    """Its selector is the old object's."""
    if (obj.get("spec") or {}).get("manualSelector"):
        return obj
    template = obj["spec"]["template"]
    metadata = {**(template.get("metadata") or {})}
    metadata["labels"] = _without(metadata.get("labels") or {}, *_OF_THE_CONTROLLER)
    labels = _without(obj["metadata"].get("labels") or {}, *_OF_THE_CONTROLLER)
    spec = {**_without(obj["spec"], "selector"), "template": {**template, "metadata": metadata}}
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}, "spec": spec}


def _pod(obj: Obj) -> Obj:
    return {**obj, "spec": _without(obj["spec"], "nodeName")}


def _without(mapping: Obj, *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


_CLEANERS = {"services": _service, "persistentvolumeclaims": _claim, "jobs.batch": _job, "pods": _pod}
