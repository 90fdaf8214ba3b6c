"""Stops what a release runs, and starts it again: by scaling, so that it takes no time and loses nothing. Pure.

What was is noted in an annotation of the object itself. Helm is not asked: while a release is stopped, nothing else is
done for it. A DaemonSet cannot be scaled: it is given a node selector that no node has.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from skerry.kube.objects import Obj, Resource, annotations_of
from skerry.kube.resources import CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, STATEFUL_SETS

STOPPED = "skerry.dev/stopped"
"""Annotation: what the fields were that stopping changed, JSON."""
_NOWHERE = "skerry.dev/stopped"
STOPPABLE: Mapping[str, Resource] = {one.kind: one for one in (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, CRON_JOBS)}
"""By kind."""


def stopped(obj: Obj) -> Obj | None:
    """The merge patch that stops it, None when nothing of it runs."""
    if STOPPED in annotations_of(obj):
        return None
    changed = _change(obj)
    if changed is None:
        return None
    before, spec = changed
    return {"metadata": {"annotations": {STOPPED: orjson.dumps(before).decode()}}, "spec": spec}


def started(obj: Obj) -> Obj | None:
    """The merge patch that starts it again, None when it was not stopped."""
    noted = annotations_of(obj).get(STOPPED)
    if noted is None:
        return None
    return {"metadata": {"annotations": {STOPPED: None}}, "spec": orjson.loads(noted)}


def _change(obj: Obj) -> tuple[Obj, Obj] | None:
    """What was, and what is to be."""
    kind, spec = obj.get("kind"), obj.get("spec") or {}
    if kind == DAEMON_SETS.kind:
        return _selector(None), _selector("true")
    if kind == CRON_JOBS.kind:
        return None if spec.get("suspend") else ({"suspend": False}, {"suspend": True})
    replicas = spec.get("replicas", 1)
    return ({"replicas": replicas}, {"replicas": 0}) if replicas else None


def _selector(value: str | None) -> Obj:
    return {"template": {"spec": {"nodeSelector": {_NOWHERE: value}}}}
