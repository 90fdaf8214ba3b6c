"""Puts the workloads of a namespace to sleep, and wakes them: what each is to become. Pure.

What was is noted in an annotation of the object itself, so that waking needs nothing else. A DaemonSet cannot be
scaled: it is given a node selector that no node has. Bare pods (nobody would make them again) are deleted with their
grace period. Data (claims, ConfigMaps, Secrets) is not touched.
"""

from __future__ import annotations

import orjson

from skerry.kube.objects import Obj, Resource, annotations_of, controller_of
from skerry.kube.resources import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)

AWAKE = "skerry.dev/awake"
"""Annotation: what the fields were that sleep changed, JSON."""
_NOWHERE = "skerry.dev/hibernated"
_SCALED = (DEPLOYMENTS, STATEFUL_SETS, REPLICA_SETS, REPLICATION_CONTROLLERS)
SLEEPERS: tuple[Resource, ...] = (*_SCALED, DAEMON_SETS, CRON_JOBS, JOBS)
"""Everything that starts pods."""


def asleep(resource: Resource, obj: Obj) -> Obj | None:
    """The merge patch that puts it to sleep, None when it sleeps or somebody above it does."""
    if controller_of(obj) or AWAKE in annotations_of(obj):
        return None
    changed = _sleep_of(resource, obj)
    if changed is None:
        return None
    before, spec = changed
    return {"metadata": {"annotations": {AWAKE: orjson.dumps(before).decode()}}, "spec": spec}


def awake(resource: Resource, obj: Obj) -> Obj | None:
    """The merge patch that wakes it, None when it is awake."""
    noted = annotations_of(obj).get(AWAKE)
    if noted is None:
        return None
    return {"metadata": {"annotations": {AWAKE: None}}, "spec": orjson.loads(noted)}


def _sleep_of(resource: Resource, obj: Obj) -> tuple[Obj, Obj] | None:
    """What was, and what is to be; None when there is nothing to do."""
    spec = obj.get("spec") or {}
    if resource in _SCALED:
        replicas = spec.get("replicas", 1)
        return ({"replicas": replicas}, {"replicas": 0}) if replicas else None
    if resource == DAEMON_SETS:
        return _selector(None), _selector("true")
    is_over = any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in _conditions(obj))
    if spec.get("suspend") or (resource == JOBS and is_over):
        return None
    return {"suspend": False}, {"suspend": True}


def _conditions(obj: Obj) -> list[Obj]:
    return (obj.get("status") or {}).get("conditions") or []


def _selector(value: str | None) -> Obj:
    return {"template": {"spec": {"nodeSelector": {_NOWHERE: value}}}}
