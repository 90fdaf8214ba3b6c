"""Keeping the default roles and bindings: those missing are made, rules and subjects taken away are given back.

What people added stays. An object with the annotation `rbac.authorization.kubernetes.io/autoupdate: "false"` is left
alone. Runs when the server starts. `corrected` is the pure part. Source: Kubernetes'
`pkg/registry/rbac/reconciliation` and `rbac/rest/storage_rbac.go` (PolicyData.EnsureRBACPolicy).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

from skerry.engine.api.auth.rbac.cover import compacted, uncovered
from skerry.engine.api.auth.rbac.defaults import objects
from skerry.engine.api.auth.rbac.defaults.objects import AUTO_UPDATE, GROUP
from skerry.engine.api.auth.rbac.rules import rules_of
from skerry.engine.api.metadata import begin, encoder
from skerry.engine.store.contract import Key, Store
from skerry.kube.client import Client
from skerry.kube.objects import Obj, Resource, name_of, namespace_of

_CLUSTER_ROLES = Resource(GROUP, "v1", "clusterroles", "ClusterRole", namespaced=False)
_CLUSTER_ROLE_BINDINGS = Resource(GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
_ROLES = Resource(GROUP, "v1", "roles", "Role")
_ROLE_BINDINGS = Resource(GROUP, "v1", "rolebindings", "RoleBinding")


async def keep_defaults(client: Client, store: Store, now: str) -> None:
    """Make and mend all of them. `client` must be allowed everything; `now` is RFC 3339.

    What is missing is written to the store as it is: a test says that it is valid, and so many objects on the
    usual way would be a tenth of the time a first start may take.
    """
    await _keep(client, store, now, _CLUSTER_ROLES, objects.cluster_roles())
    await _keep(client, store, now, _CLUSTER_ROLE_BINDINGS, objects.cluster_role_bindings())
    await _keep(client, store, now, _ROLES, objects.roles())
    await _keep(client, store, now, _ROLE_BINDINGS, objects.role_bindings())


async def _keep(client: Client, store: Store, now: str, resource: Resource, wanted: Iterable[Obj]) -> None:
    """All at once, so that they are made durable together."""
    group_resource = resource.group_resource
    work: list[Awaitable[object]] = []
    for obj in wanted:
        key = Key(group_resource, namespace_of(obj), name_of(obj))
        entry = store.get(key)
        if entry is not None:
            mended = corrected(entry.decode(), obj)
            work += [_mend(client, resource, obj, mended)] if mended is not None else []
        elif not key.namespace or store.get(Key("namespaces", "", key.namespace)) is not None:
            begin(obj["metadata"], now)
            work.append(store.create(key, encoder(obj)))
    await asyncio.gather(*work)


async def _mend(client: Client, resource: Resource, wanted: Obj, mended: Obj) -> None:
    if mended:
        await client.update(resource, mended)
        return
    await client.delete(resource, name_of(wanted), namespace_of(wanted) or None)
    await client.create(resource, wanted, namespace_of(wanted) or None)


def corrected(found: Obj, wanted: Obj) -> Obj | None:
    """What an object must become to have all that is wanted; None when it has it, {} when it must be made anew."""
    metadata = found["metadata"]
    if (metadata.get("annotations") or {}).get(AUTO_UPDATE) == "false":
        return None
    if "roleRef" in wanted and found.get("roleRef") != wanted["roleRef"]:
        return {}
    mended = {**found, "metadata": _with_labels(metadata, wanted["metadata"])}
    if "roleRef" in wanted:
        has = found.get("subjects") or []
        missing = [subject for subject in wanted.get("subjects") or () if subject not in has]
        mended |= {"subjects": [*has, *missing]} if missing else {}
    else:
        _mend_rules(mended, found, wanted)
    return mended if mended != found else None


def _with_labels(found: Obj, wanted: Obj) -> Obj:
    parts = {part: {**wanted[part], **(found.get(part) or {})} for part in ("labels", "annotations")}
    return {**found, **parts}


def _mend_rules(mended: Obj, found: Obj, wanted: Obj) -> None:
    if "aggregationRule" in wanted:  # its rules are for the aggregation controller to keep
        has = (found.get("aggregationRule") or {}).get("clusterRoleSelectors") or []
        selectors = wanted["aggregationRule"]["clusterRoleSelectors"]
        missing = [selector for selector in selectors if selector not in has]
        if missing:
            mended["aggregationRule"] = {"clusterRoleSelectors": [*has, *missing]}
    elif found.get("rules") != wanted["rules"]:
        lacking = compacted(uncovered(rules_of(found), rules_of(wanted)))
        if lacking:
            mended["rules"] = [*(found.get("rules") or ()), *(rule.to_json() for rule in lacking)]
