"""Rules on volumes and on where containers mount them. Source: `ValidateVolumes`, `ValidateVolumeMounts`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, not_found, not_supported, required
from skerry.engine.schema.pods.environment import VOLUME_FIELDS, check_field_ref, check_resource_ref
from skerry.engine.schema.pods.paths import check_local_path, check_no_backsteps
from skerry.engine.schema.pods.resources import check_quantity
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_HOST_PATH_TYPES = (
    "", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice",
)  # fmt: skip
_PROPAGATIONS = ("None", "HostToContainer", "Bidirectional")
_NEEDED = {
    "secret": ("secretName",), "configMap": ("name",), "persistentVolumeClaim": ("claimName",), "hostPath": ("path",),
    "nfs": ("server", "path"), "csi": ("driver",), "image": (), "ephemeral": ("volumeClaimTemplate",),
}  # fmt: skip
_PROJECTIONS = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")


def check_volumes(volumes: list[Obj], field: str) -> Iterator[Cause]:
    """Names that are unique labels, and one complete source each."""
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        below = f"{field}[{index}]"
        name = volume.get("name")
        if not name:
            yield required(f"{below}.name")
        elif complaint := names.label(name):
            yield invalid(f"{below}.name", name, complaint)
        elif name in seen:
            yield duplicate(f"{below}.name", name)
        seen.add(name or "")
        yield from _check_source(volume, below)


def _check_source(volume: Obj, field: str) -> Iterator[Cause]:
    given = [name for name in volume if name != "name"]
    if not given:
        yield required(field, "must specify a volume type")
    for name in given[1:]:
        yield forbidden(f"{field}.{name}", "may not specify more than 1 volume type")
    for name in given[:1]:
        source, below = volume[name], f"{field}.{name}"
        for needed in _NEEDED.get(name, ()):
            if not source.get(needed):
                yield required(f"{below}.{needed}")
        yield from _check_details(name, source, below)


def _check_details(name: str, source: Obj, field: str) -> Iterator[Cause]:
    if name == "emptyDir":
        if "sizeLimit" in source:
            yield from check_quantity(source["sizeLimit"], f"{field}.sizeLimit")
    elif name == "hostPath":
        yield from _check_host_path(source, field)
    elif name in ("secret", "configMap"):
        yield from _check_mode(source, "defaultMode", field)
        yield from _check_items(source, field)
    elif name == "downwardAPI":
        yield from _check_mode(source, "defaultMode", field)
        yield from _check_downward(source, field)
    elif name == "projected":
        yield from _check_mode(source, "defaultMode", field)
        for index, projection in enumerate(source.get("sources") or ()):
            yield from _check_projection(projection, f"{field}.sources[{index}]")


def _check_host_path(source: Obj, field: str) -> Iterator[Cause]:
    yield from check_no_backsteps(source.get("path") or "", f"{field}.path")
    if source.get("type", "") not in _HOST_PATH_TYPES:
        yield not_supported(f"{field}.type", source["type"], _HOST_PATH_TYPES)


def _check_mode(holder: Obj, name: str, field: str) -> Iterator[Cause]:
    mode = holder.get(name)
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(f"{field}.{name}", mode, "must be a number between 0 and 0777 (octal), both inclusive")


def _check_items(source: Obj, field: str) -> Iterator[Cause]:
    for index, item in enumerate(source.get("items") or ()):
        below = f"{field}.items[{index}]"
        if not item.get("key"):
            yield required(f"{below}.key")
        yield from _check_item_path(item, below)


def _check_item_path(item: Obj, field: str) -> Iterator[Cause]:
    if not item.get("path"):
        yield required(f"{field}.path")
    yield from check_local_path(item.get("path") or "", f"{field}.path")
    yield from _check_mode(item, "mode", field)


def _check_downward(source: Obj, field: str) -> Iterator[Cause]:
    for index, item in enumerate(source.get("items") or ()):
        below = f"{field}.items[{index}]"
        yield from _check_item_path(item, below)
        if item.get("fieldRef"):
            yield from check_field_ref(item["fieldRef"], f"{below}.fieldRef", VOLUME_FIELDS)
            if item.get("resourceFieldRef"):
                yield invalid(below, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
        elif item.get("resourceFieldRef"):
            if not item["resourceFieldRef"].get("containerName"):
                yield required(f"{below}.resourceFieldRef.containerName")
            yield from check_resource_ref(item["resourceFieldRef"], f"{below}.resourceFieldRef")
        else:
            yield required(f"{below}.fieldRef", "one of fieldRef and resourceFieldRef is required")


def _check_projection(projection: Obj, field: str) -> Iterator[Cause]:
    given = [name for name in _PROJECTIONS if projection.get(name) is not None]
    if not given:
        yield required(field, "must specify a volume projection type")
    for name in given[1:]:
        yield forbidden(f"{field}.{name}", "may not specify more than 1 volume type")
    for name in given[:1]:
        source, below = projection[name], f"{field}.{name}"
        if name in ("secret", "configMap"):
            if not source.get("name"):
                yield required(f"{below}.name")
            yield from _check_items(source, below)
        elif name == "downwardAPI":
            yield from _check_downward(source, below)
        elif name == "serviceAccountToken":
            yield from _check_token(source, below)


def _check_token(source: Obj, field: str) -> Iterator[Cause]:
    if source.get("expirationSeconds", 3600) < 600:
        why = "may not specify a duration less than 10 minutes"
        yield invalid(f"{field}.expirationSeconds", source["expirationSeconds"], why)
    if not source.get("path"):
        yield required(f"{field}.path")
    yield from check_local_path(source.get("path") or "", f"{field}.path")


def check_mounts(container: Obj, field: str, volumes: dict[str, Obj]) -> Iterator[Cause]:
    """Each mount names a volume of the pod and has a place of its own."""
    places: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        below = f"{field}.volumeMounts[{index}]"
        name, path = mount.get("name"), mount.get("mountPath")
        if not name:
            yield required(f"{below}.name")
        elif name not in volumes:
            yield not_found(f"{below}.name", name)
        if not path:
            yield required(f"{below}.mountPath")
        elif path in places:
            yield invalid(f"{below}.mountPath", path, "must be unique")
        places.add(path or "")
        yield from _check_mount_details(mount, container, below)
    yield from _check_devices(container, field, volumes)


def _check_mount_details(mount: Obj, container: Obj, field: str) -> Iterator[Cause]:
    for name in ("subPath", "subPathExpr"):
        if mount.get(name):
            yield from check_local_path(mount[name], f"{field}.{name}")
    if mount.get("subPath") and mount.get("subPathExpr"):
        yield invalid(f"{field}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive")
    propagation = mount.get("mountPropagation")
    if propagation is not None and propagation not in _PROPAGATIONS:
        yield not_supported(f"{field}.mountPropagation", propagation, _PROPAGATIONS)
    elif propagation == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
        yield forbidden(
            f"{field}.mountPropagation", "Bidirectional mount propagation is available only to privileged containers"
        )


def _check_devices(container: Obj, field: str, volumes: dict[str, Obj]) -> Iterator[Cause]:
    for index, device in enumerate(container.get("volumeDevices") or ()):
        below = f"{field}.volumeDevices[{index}]"
        name = device.get("name")
        if not name:
            yield required(f"{below}.name")
        elif name not in volumes:
            yield not_found(f"{below}.name", name)
        elif not volumes[name].keys() & {"persistentVolumeClaim", "ephemeral"}:
            yield invalid(
                f"{below}.name",
                name,
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
            )
        if not device.get("devicePath"):
            yield required(f"{below}.devicePath")
