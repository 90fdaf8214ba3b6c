"""Rules on `metadata`, alike for all kinds. Source: k8s.io/apimachinery `pkg/api/validation/objectmeta.go`."""

from __future__ import annotations

import re
from typing import Any

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, immutable, invalid, required, too_long
from skerry.engine.schema.contract import Kind
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

MAX_ANNOTATIONS = 256 * 1024
"""Bytes of all annotation keys and values together."""
_STANDARD_FINALIZERS = {"kubernetes", "orphan", "foregroundDeletion"}
_FIXED = ("name", "namespace", "uid", "creationTimestamp")


def validate(kind: Kind, obj: Obj) -> list[Cause]:
    """Name, namespace, labels, annotations, finalizers and owners."""
    metadata = obj.get("metadata") or {}
    causes = _validate_name(kind, metadata)
    if kind.resource.namespaced:
        causes += _validate_namespace(metadata.get("namespace"))
    elif metadata.get("namespace"):
        causes.append(forbidden("metadata.namespace", "not allowed on this type"))
    if metadata.get("labels"):
        causes += validate_labels(metadata["labels"], "metadata.labels")
    if metadata.get("annotations"):
        causes += validate_annotations(metadata["annotations"], "metadata.annotations")
    if metadata.get("ownerReferences"):
        causes += _validate_owners(metadata["ownerReferences"])
    for finalizer in metadata.get("finalizers") or ():
        causes += validate_finalizer(finalizer, "metadata.finalizers", strict=not _is_extension(kind))
    return causes


def _is_extension(kind: Kind) -> bool:
    """Custom resources and their definitions may have finalizers of any qualified name, as they always had."""
    return not kind.definition or kind.resource.group == "apiextensions.k8s.io"


def _validate_name(kind: Kind, metadata: Obj) -> list[Cause]:
    causes = []
    prefix = metadata.get("generateName")
    if prefix and (complaint := kind.name_rule(_mask_dash(prefix))):
        causes.append(invalid("metadata.generateName", prefix, complaint))
    name = metadata.get("name")
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    elif complaint := kind.name_rule(name):
        causes.append(invalid("metadata.name", name, complaint))
    return causes


def _mask_dash(prefix: str) -> str:
    """A prefix may end in a dash: the generated end follows."""
    return prefix[:-1] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _validate_namespace(namespace: str | None) -> list[Cause]:
    if not namespace:
        return [required("metadata.namespace")]
    complaint = names.label(namespace)
    return [invalid("metadata.namespace", namespace, complaint)] if complaint else []


def validate_labels(labels: dict[str, str], field: str) -> list[Cause]:
    """Keys are qualified names, values label values."""
    causes = []
    for key, value in labels.items():
        if complaint := names.qualified_name(key):
            causes.append(invalid(field, key, complaint))
        if complaint := names.label_value(value):
            causes.append(invalid(field, value, complaint))
    return causes


def validate_annotations(annotations: dict[str, str], field: str) -> list[Cause]:
    """Keys are qualified names in any case; all together at most MAX_ANNOTATIONS bytes."""
    causes = []
    total = 0
    for key, value in annotations.items():
        if complaint := names.qualified_name(key.lower()):
            causes.append(invalid(field, key, complaint))
        total += len(key) + len(value) if value.isascii() else len(key.encode()) + len(value.encode())
    if total > MAX_ANNOTATIONS:
        causes.append(too_long(field, MAX_ANNOTATIONS))
    return causes


def validate_finalizer(finalizer: str, field: str, *, strict: bool = True) -> list[Cause]:
    """A qualified name, with a prefix (if `strict`) unless it is one of Kubernetes' own."""
    if complaint := names.qualified_name(finalizer):
        return [invalid(field, finalizer, complaint)]
    if strict and "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
        return [invalid(field, finalizer, "name is neither a standard finalizer name nor is it fully qualified")]
    return []


def _validate_owners(owners: list[Obj]) -> list[Cause]:
    causes = []
    controllers = [owner for owner in owners if owner.get("controller")]
    for index, owner in enumerate(owners):
        field = f"metadata.ownerReferences[{index}]"
        if not re.fullmatch(r"([^/]+/)?[^/]+", owner.get("apiVersion") or ""):
            causes.append(invalid(f"{field}.apiVersion", owner.get("apiVersion", ""), "version must not be empty"))
        for part in ("kind", "name", "uid"):
            if not owner.get(part):
                causes.append(invalid(f"{field}.{part}", "", f"{part} must not be empty"))
        if owner.get("apiVersion") == "v1" and owner.get("kind") == "Event":
            causes.append(invalid(field, owner, "v1, Kind=Event is disallowed from being an owner"))
    if len(controllers) > 1:
        first, second = (f"{owner.get('kind')}/{owner.get('name')}" for owner in controllers[:2])
        why = f'Only one reference can have Controller set to true. Found "true" in references for {first} and {second}'
        causes.append(invalid("metadata.ownerReferences", "", why))
    return causes


def validate_update(new: Obj, old: Obj) -> list[Cause]:
    """What a change may not touch. A client that leaves uid or creationTimestamp out keeps them: the API fills in."""
    after, before = new.get("metadata") or {}, old.get("metadata") or {}
    causes = [
        immutable(f"metadata.{part}", after.get(part, "")) for part in _FIXED if after.get(part) != before.get(part)
    ]
    if before.get("deletionTimestamp"):
        causes += _validate_while_deleting(after, before)
    return causes


def _validate_while_deleting(after: Obj, before: Obj) -> list[Cause]:
    added = set(after.get("finalizers") or ()) - set(before.get("finalizers") or ())
    if not added:
        return []
    why = (
        f"no new finalizers can be added if the object is being deleted, found new finalizers {_go_list(sorted(added))}"
    )
    return [forbidden("metadata.finalizers", why)]


def _go_list(items: list[str]) -> str:
    return "[]string{" + ", ".join(f'"{item}"' for item in items) + "}"


def check_unique(values: list[Any], field: str, part: str) -> list[Cause]:
    """`Duplicate value` for every value seen before; None is skipped. `field` is the list, `part` the item's field."""
    seen: set[Any] = set()
    causes = []
    for index, value in enumerate(values):
        if value is not None and value in seen:
            causes.append(duplicate(f"{field}[{index}]{part}", value))
        seen.add(value)
    return causes
