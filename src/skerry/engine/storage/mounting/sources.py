"""Which volumes of a pod are mounted here, and what they name. Pure.

Source of the behaviour: the kubelet's `desired_state_of_world_populator.go` and `pkg/volume/util` (GetPodVolumeNames).
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.kube.objects import Obj, name_of

KINDS = ("persistentVolumeClaim", "ephemeral", "csi", "nfs")


def is_ours(volume: Obj) -> bool:
    """Whether a volume of a pod's definition is of a kind that is mounted here."""
    return any(volume.get(kind) is not None for kind in KINDS)


def wanted(pod: Obj) -> list[Obj]:
    """The volumes that are to be mounted: those no container uses are left alone."""
    used = mounted_names(pod) | device_names(pod)
    return [volume for volume in pod["spec"].get("volumes") or () if is_ours(volume) and volume["name"] in used]


def claim_name(pod: Obj, volume: Obj) -> str:
    """The claim a volume stands for, "" for one without."""
    if volume.get("persistentVolumeClaim") is not None:
        return str(volume["persistentVolumeClaim"]["claimName"])
    return f"{name_of(pod)}-{volume['name']}" if volume.get("ephemeral") is not None else ""


def mounted_names(pod: Obj) -> set[str]:
    """Volumes that a container mounts."""
    return {mount["name"] for container in _containers(pod) for mount in container.get("volumeMounts") or ()}


def device_names(pod: Obj) -> set[str]:
    """Volumes that a container has as devices."""
    return {device["name"] for container in _containers(pod) for device in container.get("volumeDevices") or ()}


def _containers(pod: Obj) -> Iterator[Obj]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod["spec"].get(kind) or ()
