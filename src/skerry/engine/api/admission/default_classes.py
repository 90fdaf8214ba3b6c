"""Claims without a storage class, and Ingresses without an ingress class, get the one marked as default.

Among several that are marked the newest counts, then the first by name; without one nothing is set. Source: Kubernetes'
`plugin/pkg/admission/storage/storageclass/setdefault` and `plugin/pkg/admission/network/defaultingressclass`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import CREATE, Plugin
from skerry.engine.store.contract import Store
from skerry.kube.objects import Obj, annotations_of, name_of

STORAGE_CLASSES, INGRESS_CLASSES = "storageclasses.storage.k8s.io", "ingressclasses.networking.k8s.io"
_STORAGE_MARKS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_INGRESS_MARKS = ("ingressclass.kubernetes.io/is-default-class",)
_OLD_STORAGE, _OLD_INGRESS = "volume.beta.kubernetes.io/storage-class", "kubernetes.io/ingress.class"


def default_storage_class(store: Store) -> Plugin:
    """The plug-in for claims. A class of "" is a choice: none."""

    def mutate(attributes: Attributes) -> None:
        claim = attributes.obj
        if claim["spec"].get("storageClassName") is not None or _OLD_STORAGE in annotations_of(claim):
            return
        if chosen := default_class(store, STORAGE_CLASSES, _STORAGE_MARKS):
            claim["spec"]["storageClassName"] = chosen

    looked_at = frozenset({"persistentvolumeclaims"})
    return Plugin("DefaultStorageClass", mutate=mutate, resources=looked_at, operations=CREATE)


def default_ingress_class(store: Store) -> Plugin:
    """The plug-in for Ingresses."""

    def mutate(attributes: Attributes) -> None:
        ingress = attributes.obj
        spec = ingress.setdefault("spec", {})
        if spec.get("ingressClassName") is not None or _OLD_INGRESS in annotations_of(ingress):
            return
        if chosen := default_class(store, INGRESS_CLASSES, _INGRESS_MARKS):
            spec["ingressClassName"] = chosen

    looked_at = frozenset({"ingresses.networking.k8s.io"})
    return Plugin("DefaultIngressClass", mutate=mutate, resources=looked_at, operations=CREATE)


def default_class(store: Store, resource: str, marks: Iterable[str]) -> str:
    """The name of the class marked as default, "" when there is none."""
    classes = [entry.shared() for entry in store.list(resource)]
    marked = [each for each in classes if any(annotations_of(each).get(mark) == "true" for mark in marks)]
    by_name = sorted(marked, key=name_of)
    return name_of(max(by_name, key=_made_at)) if by_name else ""


def _made_at(obj: Obj) -> str:
    return str(obj["metadata"].get("creationTimestamp", ""))
