"""Claims whose volume grew while it is mounted: their file system follows, and the claim's status says so.

Pure decisions; `pods` acts. Source of the behaviour: the kubelet's `checkVolumeFSResize` and
`pkg/volume/util/resize_util.go` (MarkNodeExpansionFinished).
"""

from __future__ import annotations

from skerry.kube.objects import Obj
from skerry.kube.quantities import bytes_of

_PENDING = ("NodeResizePending", "NodeResizeInProgress", "NodeResizeInfeasible")
_RESIZING = ("FileSystemResizePending", "Resizing", "ControllerResizeError", "NodeResizeError")


def grown_to(claim: Obj, bound: Obj) -> int | None:
    """How many bytes the file system of a claim should have now; None when nothing is asked of the node."""
    status = claim.get("status") or {}
    if not _waits_for_node(status):
        return None
    size = bytes_of((bound["spec"].get("capacity") or {}).get("storage", "0"))
    known = (status.get("capacity") or {}).get("storage")
    return size if known is None or size > bytes_of(known) else None


def _waits_for_node(status: Obj) -> bool:
    if (status.get("allocatedResourceStatuses") or {}).get("storage") in _PENDING:
        return True
    conditions = status.get("conditions") or ()
    return any(one["type"] == "FileSystemResizePending" and one["status"] == "True" for one in conditions)


def finished(claim: Obj, bound: Obj) -> Obj:
    """The patch (merge) of a claim's status whose file system has the size of its volume."""
    status = claim["status"]
    conditions = [one for one in status.get("conditions") or () if one["type"] not in _RESIZING]
    return _patch(claim, {
        "capacity": {"storage": bound["spec"]["capacity"]["storage"]},
        "allocatedResourceStatuses": {"storage": None} if status.get("allocatedResourceStatuses") else None,
        "conditions": conditions or None,
    })  # fmt: skip


def refused(claim: Obj, message: str, moment: str) -> Obj:
    """The patch of a claim whose driver says that this can never be done. `moment`: now, as the API writes times."""
    kept = [one for one in claim["status"].get("conditions") or () if one["type"] != "NodeResizeError"]
    failure = {"type": "NodeResizeError", "status": "True", "message": message, "lastTransitionTime": moment}
    statuses = {"storage": "NodeResizeInfeasible"}
    return _patch(claim, {"allocatedResourceStatuses": statuses, "conditions": [*kept, failure]})


def _patch(claim: Obj, status: Obj) -> Obj:
    """Good for the claim as it was read only."""
    return {"metadata": {"resourceVersion": claim["metadata"]["resourceVersion"]}, "status": status}
