"""Check "deprecated": versions of kinds that Kubernetes has taken out or will, fields and annotations nobody heeds.

Source: kubernetes.io "Deprecated API Migration Guide", and the API reference of 1.36.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from skerry.checking.facts import Facts, kind_of
from skerry.checking.pods import pods_of
from skerry.checking.report import Finding, Severity, title
from skerry.kube.objects import Obj, annotations_of


class Gone(NamedTuple):
    """Since which version of Kubernetes something is no longer served, and what to use."""

    since: str
    instead: str


def _kinds(api_version: str, since: str, instead: str, *kinds: str) -> dict[tuple[str, str], Gone]:
    return {(api_version, kind): Gone(since, instead) for kind in kinds}


REMOVED: Mapping[tuple[str, str], Gone] = {
    **_kinds("extensions/v1beta1", "1.16", "apps/v1", "DaemonSet", "Deployment", "ReplicaSet"),
    **_kinds("extensions/v1beta1", "1.16", "networking.k8s.io/v1", "NetworkPolicy"),
    **_kinds("extensions/v1beta1", "1.16", "Pod Security Admission (labels on namespaces)", "PodSecurityPolicy"),
    **_kinds("extensions/v1beta1", "1.22", "networking.k8s.io/v1", "Ingress"),
    **_kinds("apps/v1beta1", "1.16", "apps/v1", "Deployment", "StatefulSet", "ControllerRevision"),
    **_kinds(
        "apps/v1beta2", "1.16", "apps/v1", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet", "ControllerRevision"
    ),
    **_kinds(
        "admissionregistration.k8s.io/v1beta1", "1.22", "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
    ),
    **_kinds("apiextensions.k8s.io/v1beta1", "1.22", "apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    **_kinds("apiregistration.k8s.io/v1beta1", "1.22", "apiregistration.k8s.io/v1", "APIService"),
    **_kinds("authentication.k8s.io/v1beta1", "1.22", "authentication.k8s.io/v1", "TokenReview"),
    **_kinds(
        "authorization.k8s.io/v1beta1", "1.22", "authorization.k8s.io/v1", "LocalSubjectAccessReview",
        "SelfSubjectAccessReview", "SubjectAccessReview", "SelfSubjectRulesReview",
    ),
    **_kinds("certificates.k8s.io/v1beta1", "1.22", "certificates.k8s.io/v1", "CertificateSigningRequest"),
    **_kinds("coordination.k8s.io/v1beta1", "1.22", "coordination.k8s.io/v1", "Lease"),
    **_kinds("networking.k8s.io/v1beta1", "1.22", "networking.k8s.io/v1", "Ingress", "IngressClass"),
    **_kinds(
        "rbac.authorization.k8s.io/v1beta1", "1.22", "rbac.authorization.k8s.io/v1", "ClusterRole",
        "ClusterRoleBinding", "Role", "RoleBinding",
    ),
    **_kinds(
        "rbac.authorization.k8s.io/v1alpha1", "1.22", "rbac.authorization.k8s.io/v1", "ClusterRole",
        "ClusterRoleBinding", "Role", "RoleBinding",
    ),
    **_kinds("scheduling.k8s.io/v1beta1", "1.22", "scheduling.k8s.io/v1", "PriorityClass"),
    **_kinds(
        "storage.k8s.io/v1beta1", "1.22", "storage.k8s.io/v1", "CSIDriver", "CSINode", "StorageClass",
        "VolumeAttachment",
    ),
    **_kinds("storage.k8s.io/v1beta1", "1.27", "storage.k8s.io/v1", "CSIStorageCapacity"),
    **_kinds("batch/v1beta1", "1.25", "batch/v1", "CronJob"),
    **_kinds("batch/v2alpha1", "1.21", "batch/v1", "CronJob"),
    **_kinds("discovery.k8s.io/v1beta1", "1.25", "discovery.k8s.io/v1", "EndpointSlice"),
    **_kinds("events.k8s.io/v1beta1", "1.25", "events.k8s.io/v1", "Event"),
    **_kinds("autoscaling/v2beta1", "1.25", "autoscaling/v2", "HorizontalPodAutoscaler"),
    **_kinds("autoscaling/v2beta2", "1.26", "autoscaling/v2", "HorizontalPodAutoscaler"),
    **_kinds("policy/v1beta1", "1.25", "policy/v1", "PodDisruptionBudget"),
    **_kinds("policy/v1beta1", "1.25", "Pod Security Admission (labels on namespaces)", "PodSecurityPolicy"),
    **_kinds("node.k8s.io/v1beta1", "1.25", "node.k8s.io/v1", "RuntimeClass"),
    **_kinds(
        "flowcontrol.apiserver.k8s.io/v1beta1", "1.26", "flowcontrol.apiserver.k8s.io/v1", "FlowSchema",
        "PriorityLevelConfiguration",
    ),
    **_kinds(
        "flowcontrol.apiserver.k8s.io/v1beta2", "1.29", "flowcontrol.apiserver.k8s.io/v1", "FlowSchema",
        "PriorityLevelConfiguration",
    ),
    **_kinds(
        "flowcontrol.apiserver.k8s.io/v1beta3", "1.32", "flowcontrol.apiserver.k8s.io/v1", "FlowSchema",
        "PriorityLevelConfiguration",
    ),
}  # fmt: skip
"""apiVersion and kind."""
_DEPRECATED = {
    ("v1", "Endpoints"): ("since 1.33", "discovery.k8s.io/v1 EndpointSlice"),
    ("v1", "ComponentStatus"): ("since 1.19", "/readyz"),
}
_ANNOTATIONS = {
    "kubernetes.io/ingress.class": "spec.ingressClassName",
    "volume.beta.kubernetes.io/storage-class": "spec.storageClassName",
    "scheduler.alpha.kubernetes.io/critical-pod": "spec.priorityClassName",
    "seccomp.security.alpha.kubernetes.io/pod": "spec.securityContext.seccompProfile",
}
_PREFIXES = {
    "container.seccomp.security.alpha.kubernetes.io/": "securityContext.seccompProfile",
    "container.apparmor.security.beta.kubernetes.io/": "securityContext.appArmorProfile",
}
_OLD_LABELS = {
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "node-role.kubernetes.io/master": "node-role.kubernetes.io/control-plane",
}


def deprecated(objects: Sequence[Obj], facts: Facts) -> Iterator[Finding]:
    """What is no longer there, or will not be for long."""
    for obj in objects:
        about = title(obj)
        for one in (*_version(obj), *_annotations(obj, "metadata.annotations", obj), *_of_pods(obj)):
            yield Finding(one[0], "deprecated", about, *one[1:])


_Found = tuple[Severity, str, str, str]
"""Severity, path, message, what to do."""


def _version(obj: Obj) -> Iterator[_Found]:
    of = kind_of(obj)
    if gone := REMOVED.get(of):
        message = f"{of[0]} {of[1]} is not served since Kubernetes {gone.since}"
        yield "Error", "apiVersion", message, f"use {gone.instead}"
    if of in _DEPRECATED:
        since, instead = _DEPRECATED[of]
        yield "Warning", "apiVersion", f"{of[0]} {of[1]} is deprecated {since}", f"use {instead}"


def _annotations(obj: Obj, path: str, holder: Obj) -> Iterator[_Found]:
    for key in annotations_of(holder):
        instead = _ANNOTATIONS.get(key) or next((to for start, to in _PREFIXES.items() if key.startswith(start)), "")
        if instead:
            yield "Warning", f"{path}[{key}]", f"the annotation is deprecated in {obj.get('kind')}", f"use {instead}"


def _of_pods(obj: Obj) -> Iterator[_Found]:
    pods = pods_of(obj)
    if pods is None:
        return
    if obj.get("kind") != "Pod":
        place = pods.path.removesuffix("spec") + "metadata.annotations"
        yield from _annotations(obj, place, {"metadata": pods.metadata})
    if pods.spec.get("serviceAccount") and not pods.spec.get("serviceAccountName"):
        yield "Warning", f"{pods.path}.serviceAccount", "the field is deprecated", "use serviceAccountName"
    for key in pods.spec.get("nodeSelector") or ():
        if key in _OLD_LABELS:
            path = f"{pods.path}.nodeSelector[{key}]"
            yield "Warning", path, "the label is deprecated and nodes may not have it", f"use {_OLD_LABELS[key]}"
    for index, volume in enumerate(pods.spec.get("volumes") or ()):
        if volume.get("gitRepo") is not None:
            path = f"{pods.path}.volumes[{index}].gitRepo"
            yield "Error", path, "gitRepo volumes are not mounted any more", "clone in an init container"
