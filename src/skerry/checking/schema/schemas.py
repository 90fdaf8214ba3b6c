"""Schemas of kinds: Kubernetes' own from the installed package, others as a cluster or a definition gives them.

A `Schema` is a JSON schema as OpenAPI has it, and the definitions that its references name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import lru_cache

from skerry.kube import openapi_definitions
from skerry.kube.objects import Obj
from skerry.kube.records import record

_API = "io.k8s.api"
_ELSEWHERE = {
    "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "internal.apiserver.k8s.io": f"{_API}.apiserverinternal",
    "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
}
METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


@record
class Schema:
    """What an object must look like."""

    root: Obj
    definitions: Mapping[str, Obj] = field(default_factory=dict)

    def referred(self, schema: Obj) -> tuple[str, Obj]:
        """What a schema stands for, and the name of its definition, "" for one that is written out."""
        if not isinstance(schema, dict):  # of a definition that says true, or nonsense
            return "", {}
        seen = schema
        if "$ref" not in seen and len(seen.get("allOf") or ()) == 1 and "$ref" in seen["allOf"][0]:
            seen = seen["allOf"][0]  # as OpenAPI 3 puts a description beside a reference
        if "$ref" not in seen:
            return "", schema
        name = str(seen["$ref"]).rpartition("/")[2]
        found = self.definitions.get(name)
        return name, found if found is not None else _known(name)


def built_in(api_version: str, kind: str) -> Schema | None:
    """Kubernetes 1.36's own, None for kinds that are not its."""
    group, _, version = api_version.rpartition("/")
    package = _ELSEWHERE.get(group) or f"{_API}.{group.partition('.')[0] or 'core'}"
    root = _known(f"{package}.{version}.{kind}")
    meant = {"group": group, "kind": kind, "version": version}
    return Schema(root) if meant in root.get("x-kubernetes-group-version-kind", ()) else None


def is_kubernetes_own(api_version: str) -> bool:
    """Whether Kubernetes itself has the group: what it does not know in it is wrong, not unknown."""
    group = api_version.rpartition("/")[0]
    package = _ELSEWHERE.get(group) or f"{_API}.{group.partition('.')[0] or 'core'}"
    is_named_so = "." not in group or group.endswith(".k8s.io")
    return is_named_so and any(name.startswith(f"{package}.") for name in openapi_definitions.names())


def served(document: Obj, api_version: str, kind: str) -> Schema | None:
    """A kind's schema in a document of `/openapi/v3`, None when it is not there."""
    group, _, version = api_version.rpartition("/")
    meant = {"group": group, "kind": kind, "version": version}
    definitions: dict[str, Obj] = (document.get("components") or {}).get("schemas") or {}
    for root in definitions.values():
        if meant in root.get("x-kubernetes-group-version-kind", ()):
            return Schema(root, definitions)
    return None


def defined(objects: Iterable[Obj]) -> dict[tuple[str, str], Schema]:
    """Those of the CustomResourceDefinitions among objects, by apiVersion and kind."""
    found = {}
    for spec in (one.get("spec") or {} for one in objects if one.get("kind") == "CustomResourceDefinition"):
        kind = (spec.get("names") or {}).get("kind", "")
        for version in spec.get("versions") or ():
            root = (version.get("schema") or {}).get("openAPIV3Schema")
            if root:
                found[f"{spec.get('group')}/{version.get('name')}", kind] = Schema(_with_type(root))
    return found


def _with_type(root: Obj) -> Obj:
    """What every object has, whether or not its definition says so."""
    text = {"type": "string"}
    own = root.get("properties") or {}
    known = {"apiVersion": text, "kind": text, "metadata": {"$ref": f"#/$defs/{METADATA}"}}
    return {**root, "properties": {**own, **known}}


@lru_cache(maxsize=400)
def _known(name: str) -> Obj:
    """Kept: decoding is what a check costs. What a Deployment needs are 120 definitions, 1 MB."""
    try:
        return openapi_definitions.load(name)
    except KeyError:
        return {}
