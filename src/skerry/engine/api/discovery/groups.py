"""Discovery: which groups, versions and resources are served, in the old form and aggregated.

Pure functions on the registry and on `Versions`: groups and their versions in the order in which they are shown.
Neighbours: `order`, `remote` (what other servers have). Source: Kubernetes' `apiserver/pkg/endpoints/discovery` and
`discovery/aggregated`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import Registry
from skerry.kube.objects import Obj


class Subresource(NamedTuple):
    """What a subresource takes and gives: group and version "" when they are its parent's; kind "" likewise; "{}" in
    it is the parent's."""

    verbs: tuple[str, ...]
    kind: str = ""
    group: str = ""
    version: str = ""


Versions: TypeAlias = Mapping[str, Sequence[str]]
"""The versions of every group, the preferred one first."""
Describe: TypeAlias = Callable[[str, str], Obj]
"""A group's version as it stands in an `APIGroupDiscoveryList`."""
SUBRESOURCES = {
    "status": Subresource(("get", "patch", "update")),
    "approval": Subresource(("get", "patch", "update")),
    "scale": Subresource(("get", "patch", "update"), "Scale", "autoscaling", "v1"),
    "finalize": Subresource(("update",)),
    "binding": Subresource(("create",), "Binding"),
    "eviction": Subresource(("create",), "Eviction", "policy", "v1"),
    "token": Subresource(("create",), "TokenRequest", "authentication.k8s.io", "v1"),
    "ephemeralcontainers": Subresource(("get", "patch", "update")),
    "proxy": Subresource(("create", "delete", "get", "patch", "update"), "{}ProxyOptions"),
    "resize": Subresource(("get", "patch", "update")),
    "log": Subresource(("get",)),
    "exec": Subresource(("create", "get"), "PodExecOptions"),
    "attach": Subresource(("create", "get"), "PodAttachOptions"),
    "portforward": Subresource(("create", "get"), "PodPortForwardOptions"),
}
"""Those served; what a kind names beyond them is refused and not shown."""


def api_versions(address: str) -> Obj:
    """`/api`. `address` is host:port."""
    by_cidr = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": by_cidr}


def group_list(shown: Versions) -> Obj:
    """`/apis`."""
    groups = [_group(name, versions) for name, versions in shown.items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(shown: Versions, name: str) -> Obj | None:
    """`/apis/<group>`; None when it is not served."""
    versions = shown.get(name) if name else None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def _group(name: str, versions: Sequence[str]) -> Obj:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(registry: Registry, group_name: str, version: str) -> Obj | None:
    """`/api/v1` and `/apis/<group>/<version>`; None when it is not served."""
    kinds = registry.kinds(group_name, version)
    if not kinds:
        return None
    group_version = f"{group_name}/{version}" if group_name else version
    resources = [entry for kind in kinds for entry in _resources(kind, registry.storing(kind))]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _resources(kind: Kind, storing: Kind) -> Iterator[Obj]:
    resource = kind.resource
    entry: Obj = {
        "name": resource.plural,
        "singularName": kind.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if "list" in kind.verbs and "create" in kind.verbs:
        entry["storageVersionHash"] = _storage_version_hash(storing)
    yield entry
    for name, served in _served(kind):
        under: Obj = {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": served.kind.format(resource.kind) or resource.kind,
            "verbs": list(served.verbs),
        }
        if served.group:
            under |= {"group": served.group, "version": served.version}
        yield under


def _storage_version_hash(storing: Kind) -> str:
    """What tells clients that objects have to be stored again (the storage version migrator); as apiserver
    `discovery/storageversionhash.go` has it."""
    resource = storing.resource
    digest = hashlib.sha256(f"{resource.group}/{resource.version}/{resource.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _served(kind: Kind) -> list[tuple[str, Subresource]]:
    return [(name, SUBRESOURCES[name]) for name in sorted(kind.subresources) if name in SUBRESOURCES]


def aggregated(shown: Versions, describe: Describe, version: str, *, core: bool) -> Obj:
    """`/api` (`core`) or `/apis` as `APIGroupDiscoveryList` ("v2" or "v2beta1")."""
    items = [
        {"metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
         "versions": [describe(name, each) for each in versions]}
        for name, versions in shown.items()
        if (name == "") == core
    ]  # fmt: skip
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def aggregated_version(registry: Registry, group_name: str, version: str) -> Obj:
    """One version of a group that is served here, as it stands in an `APIGroupDiscoveryList`."""
    resources = [_aggregated_resource(kind) for kind in registry.kinds(group_name, version)]
    return {"version": version, "resources": resources, "freshness": "Current"}


def _aggregated_resource(kind: Kind) -> Obj:
    resource = kind.resource
    entry: Obj = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if served := _served(kind):
        entry["subresources"] = [_aggregated_subresource(kind, name, each) for name, each in served]
    return entry


def _aggregated_subresource(kind: Kind, name: str, served: Subresource) -> Obj:
    resource = kind.resource
    group_name, version = (served.group, served.version) if served.group else (resource.group, resource.version)
    response = {"group": group_name, "version": version, "kind": served.kind.format(resource.kind) or resource.kind}
    return {"subresource": name, "responseKind": response, "verbs": list(served.verbs)}
