"""Kubernetes objects as plain JSON dictionaries, and the few helpers everyone needs on them.

Invariant: an object that came out of a cache, a watch or a store is shared and must never be changed in place; build a
new one (`{**obj, ...}`) or take a private copy with `copy_of` first.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, TypeAlias

import orjson

from skerry.kube.records import record

Obj: TypeAlias = dict[str, Any]


@record
class Resource:
    """A resource of the Kubernetes API: group ("" for core), version, plural, kind, whether it is namespaced."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    api_version: str = field(init=False, repr=False, compare=False)
    """`apiVersion` as objects carry it: "v1", "apps/v1"."""
    group_resource: str = field(init=False, repr=False, compare=False)
    """The version-free name, as in error messages and store keys: "pods", "deployments.apps"."""

    def __post_init__(self) -> None:
        """Both are asked for several times in every request."""
        grouped = self.group != ""
        object.__setattr__(self, "api_version", f"{self.group}/{self.version}" if grouped else self.version)
        object.__setattr__(self, "group_resource", f"{self.plural}.{self.group}" if grouped else self.plural)

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """The URL path of the collection, of one object, or of its subresource."""
        parts = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)


def copy_of(obj: Obj) -> Obj:
    """A private deep copy, through JSON: several times faster than `copy.deepcopy` on API objects."""
    copied: Obj = orjson.loads(orjson.dumps(obj))
    return copied


def name_of(obj: Obj) -> str:
    """`metadata.name`, "" when absent."""
    return str(obj.get("metadata", {}).get("name", ""))


def namespace_of(obj: Obj) -> str:
    """`metadata.namespace`, "" for cluster-scoped objects."""
    return str(obj.get("metadata", {}).get("namespace", ""))


def uid_of(obj: Obj) -> str:
    """`metadata.uid`, "" when absent."""
    return str(obj.get("metadata", {}).get("uid", ""))


def key_of(obj: Obj) -> str:
    """The work-queue key: "namespace/name", or "name" for cluster-scoped objects."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def split_key(key: str) -> tuple[str, str]:
    """The inverse of `key_of`: (namespace or "", name)."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def labels_of(obj: Obj) -> dict[str, str]:
    """`metadata.labels`, {} when absent."""
    return obj.get("metadata", {}).get("labels") or {}


def annotations_of(obj: Obj) -> dict[str, str]:
    """`metadata.annotations`, {} when absent."""
    return obj.get("metadata", {}).get("annotations") or {}


def is_deleting(obj: Obj) -> bool:
    """Whether deletion has been asked for (`metadata.deletionTimestamp` is set)."""
    return bool(obj.get("metadata", {}).get("deletionTimestamp"))


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference with `controller: true`, if any."""
    for reference in obj.get("metadata", {}).get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return None


def owner_reference(owner: Obj, resource: Resource) -> Obj:
    """A controlling owner reference to `owner`, as Kubernetes' `metav1.NewControllerRef` makes it."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }
