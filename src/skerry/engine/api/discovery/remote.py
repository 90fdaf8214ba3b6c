"""What other servers say they serve, as it stands in aggregated discovery. Pure.

Source: `apiserver/pkg/endpoints/installer.go` (ConvertGroupVersionIntoToDiscovery), kube-aggregator's
`handler_discovery.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skerry.kube.objects import Obj


def remote_version(group: str, version: str, resources: Iterable[Obj], *, current: bool) -> Obj:
    """One version of a group, made of `APIResource` entries; stale when its server no longer answers."""
    found: dict[str, Obj] = {}
    for resource in resources:
        name, _, under = str(resource["name"]).partition("/")
        entry = found.setdefault(name, {"resource": name, "responseKind": {}, "scope": _scope(resource)})
        if under:
            subresource = {"subresource": under, **_described(resource, group, version)}
            entry.setdefault("subresources", []).append(subresource)
        else:
            entry |= {"scope": _scope(resource), **_described(resource, group, version)}
            entry |= _named(resource)
    freshness = "Current" if current else "Stale"
    return {"version": version, "resources": list(found.values()), "freshness": freshness}


def _scope(resource: Obj) -> str:
    return "Namespaced" if resource.get("namespaced") else "Cluster"


def _described(resource: Obj, group: str, version: str) -> Obj:
    kind = {"group": resource.get("group") or group, "version": resource.get("version") or version}
    return {"responseKind": {**kind, "kind": resource.get("kind") or ""}, "verbs": resource.get("verbs") or []}


def _named(resource: Obj) -> dict[str, Any]:
    names = {"singularResource": resource.get("singularName"), "shortNames": resource.get("shortNames")}
    return {key: value for key, value in {**names, "categories": resource.get("categories")}.items() if value}
