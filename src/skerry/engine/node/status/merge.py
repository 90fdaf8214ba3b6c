"""The newest status of a pod: what we handed to the writer, and what others wrote meanwhile.

A cache may still show the status before our last write; conditions of other writers (scheduler, readiness gates) are
newer in the cache. Pure.
"""

from __future__ import annotations

from skerry.engine.node.status.pod_status import OUR_CONDITIONS, TERMINAL
from skerry.kube.objects import Obj


def with_latest_status(pod: Obj, ours: Obj | None) -> Obj:
    """The pod with our last status, others' conditions kept, and an end that others declared."""
    if ours is None:
        return pod
    theirs: Obj = pod.get("status") or {}
    if theirs.get("phase") in TERMINAL and ours.get("phase") not in TERMINAL:
        return pod
    conditions = [condition for condition in ours.get("conditions") or () if condition["type"] in OUR_CONDITIONS]
    status = {key: value for key, value in ours.items() if value is not None}
    return {**pod, "status": {**status, "conditions": [*conditions, *_foreign(theirs)]}}


def matters(before: Obj, after: Obj) -> bool:
    """Whether a change of the API object is more than the echo of our own status."""
    ignored = ("resourceVersion", "managedFields")
    metadata = [{key: value for key, value in pod["metadata"].items() if key not in ignored} for pod in (before, after)]
    if metadata[0] != metadata[1] or before["spec"] != after["spec"]:
        return True
    old, new = before.get("status") or {}, after.get("status") or {}
    return _foreign(old) != _foreign(new) or new.get("phase") in TERMINAL


def _foreign(status: Obj) -> list[Obj]:
    """Conditions that others write."""
    return [condition for condition in status.get("conditions") or () if condition["type"] not in OUR_CONDITIONS]
