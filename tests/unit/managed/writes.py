"""Writes by named managers on built-in kinds, for the tests here."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.managed.resets import reset_fields
from skerry.engine.schema.managed.typing import type_of
from skerry.engine.schema.managed.updates import Write, track_create, track_update
from skerry.engine.schema.registry import builtin
from skerry.kube.objects import Obj, copy_of

Key = tuple[str, str, str]
REGISTRY = builtin()
DEPLOYMENTS = ("apps", "v1", "deployments")
CONFIG_MAPS = ("", "v1", "configmaps")
PODS = ("", "v1", "pods")
SERVICES = ("", "v1", "services")


def kind(key: Key) -> Kind:
    """A built-in kind."""
    found = REGISTRY.kind(*key)
    assert found is not None
    return found


def write(key: Key, name: str, subresource: str = "", at: int = 0) -> Write:
    """A write of `name`, `at` seconds after the tests' beginning of time."""
    of = kind(key)
    reset = reset_fields(of, subresource)
    now = f"2026-01-01T00:{at // 60:02}:{at % 60:02}Z"
    return Write(name, of.resource.api_version, subresource, type_of(of), reset, now)


def obj(key: Key, **content: Any) -> Obj:
    """An object that is stored: it has an identity. `metadata` adds to it."""
    resource = kind(key).resource
    metadata = {"name": "it", "namespace": "default", "uid": "u", "resourceVersion": "1", **content.pop("metadata", {})}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **content}


def config(key: Key, **content: Any) -> Obj:
    """What somebody applies. `metadata` adds to the name."""
    resource = kind(key).resource
    metadata = {"name": "it", **content.pop("metadata", {})}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **content}


def created(of: Obj, by: Write) -> Obj:
    """A copy that `by` has created."""
    new = copy_of(of)
    track_create(new, by)
    return new


def updated(old: Obj, by: Write, **content: Any) -> Obj:
    """A copy of `old` with other content, written by `by`; the client sends the managedFields it has read."""
    metadata = {**old["metadata"], **content.pop("metadata", {})}
    new = copy_of({**old, **content, "metadata": metadata})
    track_update(new, old, by)
    return new


def fields(of: Obj, name: str, operation: str = "Update", subresource: str = "") -> Obj | None:
    """What a manager has, None when it has no entry."""
    for entry in of["metadata"].get("managedFields") or ():
        if (entry["manager"], entry["operation"], entry.get("subresource", "")) == (name, operation, subresource):
            found: Obj = entry["fieldsV1"]
            return found
    return None
