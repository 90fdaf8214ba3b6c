"""Whether a claim waits for a volume of ours, and which volume that is. Pure.

Source: `shouldProvision` of sig-storage-lib-external-provisioner and `prepareProvision` of external-provisioner.
"""

from __future__ import annotations

from collections.abc import Mapping

from skerry.engine.storage.contract import Ability, Driver, StorageError, Use, VolumeRequest, VolumeSource
from skerry.engine.storage.provisioning.parameters import Parameters
from skerry.engine.storage.provisioning.sources import mode_of, size_of
from skerry.engine.storage.provisioning.volume_object import volume_name
from skerry.kube.objects import Obj, annotations_of, name_of, namespace_of
from skerry.kube.records import record
from skerry.kube.volumes import OLD_PROVISIONER, PROVISIONER, SELECTED_NODE, class_of


@record
class Origin:
    """Where a volume comes from: its content, and the labels of the node that needs it."""

    source: VolumeSource
    topology: Mapping[str, str]


def provisioner_of(claim: Obj) -> str:
    """Whom the binder asks for a volume, "" for nobody."""
    annotations = annotations_of(claim)
    return annotations.get(PROVISIONER) or annotations.get(OLD_PROVISIONER, "")


def selected_node(claim: Obj) -> str:
    """Where the scheduler will put the first pod, "" while that is not known."""
    return annotations_of(claim).get(SELECTED_NODE, "")


def is_waiting(claim: Obj) -> bool:
    """Whether somebody has to make a volume for it."""
    return not claim["spec"].get("volumeName") and provisioner_of(claim) != ""


def check(claim: Obj, storage_class: Obj | None, driver: Driver) -> Obj:
    """The class. Raises StorageError for what the driver, or nobody here, can do."""
    spec = claim["spec"]
    if storage_class is None:
        raise _refused(f'storageclass.storage.k8s.io "{class_of(claim)}" not found')
    if storage_class.get("provisioner") != driver.name:
        raise _refused(f"class {name_of(storage_class)} is of {storage_class.get('provisioner')}, not of {driver.name}")
    if Ability.PROVISION not in driver.abilities:
        raise _refused(f"{driver.name} makes no volumes: write a PersistentVolume for what is there")
    if spec.get("selector"):
        raise _refused("a claim with a selector gets no new volume: it takes one of those there are")
    if mode_of(claim) == "Block" and Ability.BLOCK not in driver.abilities:
        raise _refused(f"{driver.name} has no block volumes (volumeMode: Block)")
    if spec.get("volumeAttributesClassName"):
        raise _refused(f"{driver.name} has no volume attributes (volumeAttributesClassName)")
    return storage_class


def request_for(
    claim: Obj, storage_class: Obj, parameters: Parameters, secrets: Mapping[str, str], more: Origin
) -> VolumeRequest:
    """What the driver is asked for."""
    use = Use(
        access_modes=tuple(claim["spec"].get("accessModes") or ()),
        block=mode_of(claim) == "Block",
        fs_type=parameters.fs_type,
        mount_options=tuple(storage_class.get("mountOptions") or ()),
    )
    return VolumeRequest(
        name=volume_name(claim),
        size=size_of(claim),
        use=use,
        parameters=parameters.own,
        secrets=secrets,
        source=more.source,
        claim=(namespace_of(claim), name_of(claim)),
        topology=more.topology,
    )


def _refused(message: str) -> StorageError:
    return StorageError("INVALID_ARGUMENT", message)
