"""Names by which programs tell each other about claims and volumes, and the small questions everybody asks of both.

Source: `k8s.io/component-helpers/storage/volume` (`pv_helpers.go`). Binder, scheduler and provisioners know the same
annotations, and none of them knows the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skerry.kube.objects import Obj, annotations_of, name_of, namespace_of, uid_of

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
OLD_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
DEFAULT_MARKS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
NO_PROVISIONER = "kubernetes.io/no-provisioner"
IN_TREE = "kubernetes.io/"
"""What provisioners of Kubernetes' own are called. None of them exists any more but the one that does nothing."""


def class_of(obj: Obj) -> str:
    """The name of the class of a claim or a volume, "" for none."""
    old = annotations_of(obj).get(OLD_CLASS)
    return str(old if old is not None else (obj.get("spec") or {}).get("storageClassName") or "")


def has_class(claim: Obj) -> bool:
    """Whether a claim says which class it wants; "" is a wish for none."""
    return OLD_CLASS in annotations_of(claim) or claim["spec"].get("storageClassName") is not None


def is_default(storage_class: Obj) -> bool:
    """Whether claims that do not name a class get this one."""
    return any(annotations_of(storage_class).get(mark) == "true" for mark in DEFAULT_MARKS)


def waits_for_consumer(storage_class: Obj | None) -> bool:
    """Whether claims of the class are bound where their first pod goes."""
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def claim_of(volume: Obj) -> str:
    """The key "namespace/name" of the claim a volume is bound to, or kept for; ""."""
    reference = (volume.get("spec") or {}).get("claimRef")
    return f"{reference.get('namespace', '')}/{reference.get('name', '')}" if reference else ""


def binding_of(volume: Obj) -> Iterable[str]:
    """What volumes are indexed by: the claim it is bound to or kept for, else "=" and its class."""
    return (claim_of(volume) or f"={class_of(volume)}",)


def is_meant_for(volume: Obj, claim: Obj) -> bool:
    """Whether the volume is bound to the claim or kept for it by name (Kubernetes' `IsVolumeBoundToClaim`)."""
    reference = (volume.get("spec") or {}).get("claimRef")
    if not reference or claim_of(volume) != f"{namespace_of(claim)}/{name_of(claim)}":
        return False
    return not reference.get("uid") or reference["uid"] == uid_of(claim)


def reference_to(claim: Obj) -> Obj:
    """The `claimRef` of a volume that is bound to the claim."""
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }


def annotated(obj: Obj, more: Mapping[str, str]) -> Obj:
    """The object with these annotations as well."""
    return {**obj, "metadata": {**obj["metadata"], "annotations": {**annotations_of(obj), **more}}}
