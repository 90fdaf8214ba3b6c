"""From a pod's volume, its claim and its PersistentVolume to what a driver is asked for. Pure.

Source of behaviour and words: the kubelet's `desired_state_of_world_populator.go`, `pkg/volume/csi` and the volume
plug-ins of the in-tree sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TypeAlias

from skerry.engine.storage.contract import Use
from skerry.engine.storage.mounting.sources import device_names, mounted_names
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of, namespace_of, uid_of
from skerry.kube.records import record

HOST_PATH, LOCAL, NFS = "kubernetes.io/host-path", "kubernetes.io/local-volume", "kubernetes.io/nfs"
_IN_TREE = "kubernetes.io/"
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
SecretName: TypeAlias = tuple[str, str]
"""Namespace and name; ("", "") for none."""
NO_SECRET: SecretName = ("", "")


class Unresolved(Exception):
    """The pod's volume cannot be told yet, or not at all; the text is the kubelet's."""


@record
class Mountable:
    """One volume of a pod as its driver is asked for it."""

    volume: str
    """Its name in the pod."""
    name: str
    """Its name in events: that of the PersistentVolume, or the one in the pod."""
    driver: str
    handle: str
    use: Use
    read_only: bool = False
    context: Mapping[str, str] = field(default_factory=dict)
    claim: tuple[str, str] = ("", "")
    """Namespace and name."""
    inline: bool = False
    """The pod itself describes it: it comes and goes with the pod and is not staged."""
    stage_secret: SecretName = NO_SECRET
    publish_secret: SecretName = NO_SECRET

    @property
    def is_exclusive(self) -> bool:
        """Whether one pod may have it and no other."""
        return "ReadWriteOncePod" in self.use.access_modes


def check_claim(pod: Obj, volume: Obj, claim: Obj, *, is_mounted: bool = False) -> None:
    """Raises Unresolved for a claim that the pod cannot use now. `is_mounted`: it does already."""
    if volume.get("ephemeral") is not None and not _is_owner(pod, claim):
        where = f"{namespace_of(claim)}/{name_of(claim)}"
        owner = f"{namespace_of(pod)}/{name_of(pod)}"
        raise Unresolved(f"PVC {where} was not created for pod {owner} (pod is not owner)")
    if is_deleting(claim) and not is_mounted:
        raise Unresolved("PVC is being deleted")
    if (claim.get("status") or {}).get("phase") != "Bound" or not claim["spec"].get("volumeName"):
        raise Unresolved("PVC is not bound")


def _is_owner(pod: Obj, claim: Obj) -> bool:
    owners = claim["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == uid_of(pod) for owner in owners)


def of_claim(pod: Obj, volume: Obj, claim: Obj, bound: Obj) -> Mountable:
    """What is mounted for a claim that was checked, given its PersistentVolume. Raises Unresolved."""
    _check_bound(claim, bound)
    _check_mode(pod, volume, bound)
    read_only = bool((volume.get("persistentVolumeClaim") or {}).get("readOnly"))
    return _of_volume(volume["name"], bound, read_only, (namespace_of(claim), name_of(claim)))


def _check_bound(claim: Obj, bound: Obj) -> None:
    reference = bound["spec"].get("claimRef")
    if not reference:
        raise Unresolved(f'PV object "{name_of(bound)}" has a nil ClaimRef, which is unexpected')
    if reference.get("uid") != uid_of(claim):
        found = f'found PV object "{name_of(bound)}" with an unexpected PVC UID'
        raise Unresolved(f"{found} {reference.get('uid', '')!r} (expected {uid_of(claim)!r})")


def _check_mode(pod: Obj, volume: Obj, bound: Obj) -> None:
    name, block = volume["name"], is_block(bound)
    if block and name in mounted_names(pod):
        raise Unresolved(f"volume {name} has volumeMode Block, but is specified in volumeMounts")
    if not block and name in device_names(pod):
        raise Unresolved(f"volume {name} has volumeMode Filesystem, but is specified in volumeDevices")


def is_block(bound: Obj) -> bool:
    """Whether a PersistentVolume is a device."""
    return bool(bound["spec"].get("volumeMode") == "Block")


def _of_volume(volume: str, bound: Obj, read_only: bool, claim: tuple[str, str]) -> Mountable:
    spec = bound["spec"]
    options = [*(spec.get("mountOptions") or ()), *_annotated_options(bound)]
    for kind, resolve in (("csi", _csi), ("hostPath", _host_path), ("local", _local), ("nfs", _nfs)):
        if spec.get(kind) is not None:
            source = resolve(spec[kind])
            modes = tuple(spec.get("accessModes") or ())
            use = Use(modes, is_block(bound), source.fs_type, tuple(options))
            return Mountable(
                volume=volume,
                name=name_of(bound),
                driver=source.driver,
                handle=source.handle,
                use=use,
                read_only=read_only or source.read_only,
                context=source.context,
                claim=claim,
                stage_secret=source.stage_secret,
                publish_secret=source.publish_secret,
            )
    known = {"accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy"}
    kinds = sorted(set(spec) - known - {"storageClassName", "volumeMode", "volumeAttributesClassName"})
    raise Unresolved(f"no volume plugin matched: PersistentVolume sources of kind {', '.join(kinds)} are not supported")


def _annotated_options(bound: Obj) -> list[str]:
    return [option for option in annotations_of(bound).get(_MOUNT_OPTIONS, "").split(",") if option]


@record
class _Source:
    driver: str
    handle: str
    read_only: bool = False
    fs_type: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    stage_secret: SecretName = NO_SECRET
    publish_secret: SecretName = NO_SECRET


def _csi(source: Obj) -> _Source:
    return _Source(
        driver=source["driver"],
        handle=source["volumeHandle"],
        read_only=bool(source.get("readOnly")),
        fs_type=source.get("fsType") or "",
        context=source.get("volumeAttributes") or {},
        stage_secret=_secret(source.get("nodeStageSecretRef"), ""),
        publish_secret=_secret(source.get("nodePublishSecretRef"), ""),
    )


def _host_path(source: Obj) -> _Source:
    return _Source(HOST_PATH, source["path"], context={"type": source.get("type") or ""})


def _local(source: Obj) -> _Source:
    return _Source(LOCAL, source["path"], fs_type=source.get("fsType") or "")


def _nfs(source: Obj) -> _Source:
    return _Source(NFS, f"{source['server']}:{source['path']}", read_only=bool(source.get("readOnly")))


def _secret(reference: Obj | None, namespace: str) -> SecretName:
    if not reference or not reference.get("name"):
        return NO_SECRET
    return reference.get("namespace") or namespace, reference["name"]


def of_inline(pod: Obj, volume: Obj) -> Mountable:
    """A volume that the pod itself describes: of a CSI driver, or an NFS export. Raises Unresolved."""
    name = volume["name"]
    if name in device_names(pod):
        raise Unresolved(f"volume {name} has volumeMode Filesystem, but is specified in volumeDevices")
    if volume.get("nfs") is not None:
        source = _nfs(volume["nfs"])
        modes = ("ReadOnlyMany",) if source.read_only else ("ReadWriteMany",)
        return Mountable(name, name, NFS, source.handle, Use(modes), source.read_only, inline=True)
    source = volume["csi"]
    return Mountable(
        volume=name,
        name=name,
        driver=source["driver"],
        handle=inline_handle(uid_of(pod), name),
        use=Use(("ReadWriteOnce",), fs_type=source.get("fsType") or ""),
        read_only=bool(source.get("readOnly")),
        context=source.get("volumeAttributes") or {},
        inline=True,
        publish_secret=_secret(source.get("nodePublishSecretRef"), namespace_of(pod)),
    )


def place_of(mountable: Mountable) -> Path:
    """Where a volume is below the pod's `volumes`: as the kubelet has it, because CSI drivers read it from the path."""
    if mountable.use.block:
        return Path(mountable.volume, "device")
    plugin = "" if mountable.driver.startswith(_IN_TREE) else "kubernetes.io~csi"
    return Path(plugin, mountable.volume, "mount")


def inline_handle(uid: str, volume: str) -> str:
    """The handle of a CSI volume that lives as long as its pod: always the same one."""
    return f"csi-{hashlib.sha256(f'{uid}{volume}'.encode()).hexdigest()}"


def attachment_name(handle: str, driver: str, node: str) -> str:
    """The name of the VolumeAttachment that tells whether a volume is at a node."""
    return f"csi-{hashlib.sha256(f'{handle}{driver}{node}'.encode()).hexdigest()}"
