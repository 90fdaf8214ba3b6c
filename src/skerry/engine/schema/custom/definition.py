"""What is read from a CustomResourceDefinition: its versions, schemas and conditions. Its kinds are made in `kinds`."""

from __future__ import annotations

import orjson

from skerry.kube.objects import Obj, Resource, is_deleting, uid_of

CRD = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False)
FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_NO_SCHEMA: Obj = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def served_versions(definition: Obj) -> list[str]:
    """The names of the versions that are served."""
    return [version["name"] for version in definition["spec"]["versions"] if version.get("served")]


def storage_version(definition: Obj) -> str:
    """The version objects are written in."""
    return next(str(version["name"]) for version in definition["spec"]["versions"] if version.get("storage"))


def schema_in(definition: Obj, version: str) -> Obj:
    """The schema of a version in a decoded definition; one that knows nothing where there is none."""
    found: Obj = next(each for each in definition["spec"]["versions"] if each["name"] == version)
    schema: Obj | None = (found.get("schema") or {}).get("openAPIV3Schema")
    return _NO_SCHEMA if schema is None else schema


def state_of(obj: Obj) -> tuple[object, ...]:
    """What kinds depend on: while this is the same, so are they."""
    names = (obj.get("status") or {}).get("acceptedNames") or {}
    return uid_of(obj), obj["metadata"].get("generation"), is_deleting(obj), orjson.dumps(names)
