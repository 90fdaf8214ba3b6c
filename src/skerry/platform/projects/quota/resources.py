"""Which resources are counted across the namespaces of a project, and when the API has to ask.

Pods, services and claims always; others when a quota names them (`count/jobs.batch`). ConfigMaps and Secrets are not:
to count them is to read them all. What is not counted here is held in each namespace alone, by its ResourceQuota.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj, Resource
from skerry.kube.quota.usage import resources_of
from skerry.kube.resources import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    INGRESSES,
    JOBS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    SERVICES,
    STATEFUL_SETS,
)

MEASURED = (PODS, SERVICES, PERSISTENT_VOLUME_CLAIMS)
"""Always counted: what is in them matters, not only their number."""
NUMBERED = (
    DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, JOBS, CRON_JOBS, INGRESSES, REPLICATION_CONTROLLERS,
)  # fmt: skip
"""Counted when a quota says so: only their number matters."""
BY_NAME: dict[str, Resource] = {one.group_resource: one for one in (*MEASURED, *NUMBERED)}
_READ = ("get", "list", "watch")

RIGHTS: tuple[Obj, ...] = (
    {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": [*_READ]},
    *(
        {
            "apiGroups": [group],
            "resources": [one.plural for one in BY_NAME.values() if one.group == group],
            "verbs": [*_READ],
        }
        for group in sorted({one.group for one in BY_NAME.values()})
    ),
)
"""What counting needs."""


def counted(names: Iterable[str]) -> list[Resource]:
    """The resources that a quota with these names counts."""
    return [BY_NAME[one] for one in sorted(resources_of(names)) if one in BY_NAME]


def not_counted(names: Iterable[str]) -> list[str]:
    """Those of the names that nothing here counts."""
    return sorted(name for name in names if not counted([name]))


def rules() -> list[Obj]:
    """What the API asks about: everything that may use more than before."""
    return [
        *(_rule(group, ["CREATE"]) for group in sorted({one.group for one in BY_NAME.values()})),
        _of(["services", "persistentvolumeclaims", "pods/resize"], ["UPDATE"], ""),
    ]


def _rule(group: str, operations: list[str]) -> Obj:
    return _of([one.plural for one in BY_NAME.values() if one.group == group], operations, group)


def _of(plurals: list[str], operations: list[str], group: str) -> Obj:
    versions = sorted({one.version for one in BY_NAME.values() if one.group == group})
    return {
        "apiGroups": [group],
        "apiVersions": versions,
        "resources": plurals,
        "operations": operations,
        "scope": "Namespaced",
    }


CONDITIONS: tuple[Obj, ...] = (
    {
        "name": "may-use-more",
        "expression": "request.operation == 'CREATE' || request.resource.resource != 'persistentvolumeclaims' || "
        "object.spec.resources != oldObject.spec.resources || "
        "has(object.spec.storageClassName) != has(oldObject.spec.storageClassName)",
    },
    {
        "name": "says-something-else",
        "expression": "request.operation == 'CREATE' || object.spec != oldObject.spec",
    },
)
"""Who binds a claim, or looks after finalizers, does not depend on us."""
