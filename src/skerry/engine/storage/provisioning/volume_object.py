"""The PersistentVolume of a volume that a driver has made. Pure. Source: external-provisioner, `Provision`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skerry.engine.storage.contract import Volume
from skerry.engine.storage.provisioning.names import DELETION_SECRET, DELETION_SECRET_NAMESPACE, FINALIZER
from skerry.engine.storage.provisioning.parameters import Parameters
from skerry.engine.storage.provisioning.sources import mode_of
from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.quantities import binary_quantity
from skerry.kube.volumes import PROVISIONED_BY, reference_to


def volume_name(claim: Obj) -> str:
    """Of the PersistentVolume, and of what the driver is asked for."""
    return f"pvc-{uid_of(claim)}"


def volume_object(claim: Obj, storage_class: Obj, driver: str, parameters: Parameters, volume: Volume) -> Obj:
    """Bound to be the claim's, and nobody else's."""
    policy = storage_class.get("reclaimPolicy") or "Delete"
    secret = parameters.secret
    optional = {
        "mountOptions": storage_class.get("mountOptions"),
        "nodeAffinity": _affinity(volume.nodes),
    }
    return {
        "metadata": {
            "name": volume_name(claim),
            "annotations": {
                PROVISIONED_BY: driver,
                DELETION_SECRET: secret.name if secret else "",
                DELETION_SECRET_NAMESPACE: secret.namespace if secret else "",
            },
            "finalizers": [FINALIZER] if policy == "Delete" else [],
        },
        "spec": {
            "accessModes": list(claim["spec"].get("accessModes") or ()),
            "capacity": {"storage": binary_quantity(volume.size)},
            "claimRef": reference_to(claim),
            "csi": _csi(claim, driver, parameters, volume),
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": name_of(storage_class),
            "volumeMode": mode_of(claim),
            **{key: value for key, value in optional.items() if value},
        },
    }


def _csi(claim: Obj, driver: str, parameters: Parameters, volume: Volume) -> Obj:
    csi: Obj = {"driver": driver, "volumeHandle": volume.handle, **parameters.references}
    if volume.context:
        csi["volumeAttributes"] = dict(volume.context)
    if parameters.fs_type and mode_of(claim) == "Filesystem":
        csi["fsType"] = parameters.fs_type
    if claim["spec"].get("accessModes") == ["ReadOnlyMany"]:
        csi["readOnly"] = True  # else container runtimes mount it read-write into containers, whatever the mount was
    return csi


def _affinity(nodes: Sequence[Mapping[str, str]]) -> Obj | None:
    """Nodes that have all labels of one of these."""
    if not nodes:
        return None
    terms = [
        {"matchExpressions": [{"key": key, "operator": "In", "values": [value]} for key, value in sorted(one.items())]}
        for one in nodes
    ]
    return {"required": {"nodeSelectorTerms": terms}}
