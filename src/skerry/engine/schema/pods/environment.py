"""Rules on `env` and `envFrom`. Source: `ValidateEnv`, `validateEnvFrom`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import invalid, not_found, not_supported, required, too_long
from skerry.engine.schema.pods.paths import check_local_path
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELDS = {
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
}  # fmt: skip
VOLUME_FIELDS = {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"}
_LONGEST_KEY = 128
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]", re.DOTALL)
_RESOURCES = {
    f"{bound}.{name}" for bound in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage")
}  # fmt: skip


def check_environment(container: Obj, field: str) -> Iterator[Cause]:
    """Both lists of a container."""
    for index, variable in enumerate(container.get("env") or ()):
        yield from _check_variable(variable, f"{field}.env[{index}]")
    for index, source in enumerate(container.get("envFrom") or ()):
        yield from _check_env_from(source, f"{field}.envFrom[{index}]")


def _check_variable(variable: Obj, field: str) -> Iterator[Cause]:
    name = variable.get("name")
    if not name:
        yield required(f"{field}.name")
    elif complaint := names.env_name(name):
        yield invalid(f"{field}.name", name, complaint)
    source = variable.get("valueFrom")
    if source is not None:
        if variable.get("value"):
            yield invalid(f"{field}.valueFrom", "", "may not be specified when `value` is not empty")
        yield from _check_source(source, f"{field}.valueFrom")


def _check_source(source: Obj, field: str) -> Iterator[Cause]:
    given = [name for name in _SOURCES if source.get(name) is not None]
    if not given:
        why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield invalid(field, "", why)
    if len(given) > 1:
        yield invalid(field, "", "may not have more than one field specified at a time")
    for name in given[:1]:
        reference, below = source[name], f"{field}.{name}"
        if name == "fieldRef":
            yield from check_field_ref(reference, below, _FIELDS)
        elif name == "resourceFieldRef":
            yield from check_resource_ref(reference, below)
        elif name == "fileKeyRef":
            yield from _check_file_key(reference, below)
        else:
            yield from _check_key_ref(reference, below)


def check_field_ref(reference: Obj, field: str, known: set[str]) -> Iterator[Cause]:
    """A field of the pod that a variable or a downward API file may hold."""
    path = reference.get("fieldPath")
    if not path:
        yield required(f"{field}.fieldPath")
    elif path not in known and path not in _FIELDS | VOLUME_FIELDS and not _SUBSCRIPT.fullmatch(path):
        yield invalid(f"{field}.fieldPath", path, f"error converting fieldPath: field label not supported: {path}")
    elif path not in known and not _SUBSCRIPT.fullmatch(path):
        yield not_supported(f"{field}.fieldPath", path, known)
    elif (match := _SUBSCRIPT.fullmatch(path)) and (complaint := names.qualified_name(match[2].lower())):
        yield invalid(f"{field}.fieldPath", match[2], complaint)


def check_resource_ref(reference: Obj, field: str) -> Iterator[Cause]:
    """A container's own request or limit."""
    name = reference.get("resource")
    if not name:
        yield required(f"{field}.resource")
    elif name not in _RESOURCES and not name.partition(".")[2].startswith("hugepages-"):
        yield not_supported(f"{field}.resource", name, _RESOURCES)


def _check_key_ref(reference: Obj, field: str) -> Iterator[Cause]:
    if not reference.get("name"):
        yield required(f"{field}.name")
    key = reference.get("key")
    if not key:
        yield required(f"{field}.key")
    elif complaint := names.config_key(key):
        yield invalid(f"{field}.key", key, complaint)


def _check_file_key(reference: Obj, field: str) -> Iterator[Cause]:
    """Source: `validateFileKeySelector`."""
    for name in ("volumeName", "path", "key"):
        if not reference.get(name):
            yield required(f"{field}.{name}")
    yield from check_local_path(reference.get("path") or "", f"{field}.path")
    key = reference.get("key") or ""
    if key and (complaint := names.env_name(key)):
        yield invalid(f"{field}.key", key, complaint)
    if len(key) > _LONGEST_KEY:
        yield too_long(f"{field}.key", _LONGEST_KEY)


def check_env_files(container: Obj, field: str, volumes: dict[str, Obj]) -> Iterator[Cause]:
    """Files with variables are in emptyDir volumes of the pod."""
    for index, variable in enumerate(container.get("env") or ()):
        name = ((variable.get("valueFrom") or {}).get("fileKeyRef") or {}).get("volumeName")
        below = f"{field}.env[{index}].valueFrom.fileKeyRef.volumeName"
        if name and name not in volumes:
            yield not_found(below, name)
        elif name and volumes[name].get("emptyDir") is None:
            yield invalid(below, name, "referenced volume must be of type emptyDir")


def _check_env_from(source: Obj, field: str) -> Iterator[Cause]:
    prefix = source.get("prefix")
    if prefix and (complaint := names.env_name(prefix)):
        yield invalid(f"{field}.prefix", prefix, complaint)
    given = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    if not given:
        yield invalid(field, "", "must specify one of: `configMapRef` or `secretRef`")
    if len(given) > 1:
        yield invalid(field, "", "may not have more than one field specified at a time")
    for name in given[:1]:
        if not source[name].get("name"):
            yield required(f"{field}.{name}.name")
