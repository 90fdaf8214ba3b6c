"""How a claim grows: what is next for it, and what its status says on the way. Pure.

Source: external-resizer and `RecoverVolumeExpansionFailure` of Kubernetes 1.36. What was begun is finished before
another size counts, unless the driver said that it cannot be done.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from skerry.kube.conditions import conditions_of, with_condition, without_condition
from skerry.kube.objects import Obj
from skerry.kube.quantities import binary_quantity, bytes_of
from skerry.kube.records import record

RESIZING, PENDING, ERROR = "Resizing", "FileSystemResizePending", "ControllerResizeError"
_NODE_ERROR = "NodeResizeError"
_NODE_STATES = ("NodeResizePending", "NodeResizeInProgress")
_PENDING_TEXT = "Waiting for user to (re-)start a pod to finish file system resize of volume on node."


class Step(Enum):
    """What is next."""

    NOTHING = "nothing"
    EXPAND = "expand"
    GIVE_UP = "give up"
    """The size that could not be had is not asked for any more."""


@record
class Next:
    """`size`: bytes it shall have."""

    step: Step
    size: int = 0


def next_step(claim: Obj) -> Next:
    """For a claim whose volume is one of ours."""
    status = claim.get("status") or {}
    had = (status.get("capacity") or {}).get("storage")
    if status.get("phase") != "Bound" or had is None:
        return Next(Step.NOTHING)
    wanted, have = bytes_of(claim["spec"]["resources"]["requests"]["storage"]), bytes_of(had)
    allocated = bytes_of((status.get("allocatedResources") or {}).get("storage", "0"))
    state = (status.get("allocatedResourceStatuses") or {}).get("storage", "")
    if state == "ControllerResizeInProgress":
        return Next(Step.EXPAND, allocated or wanted)
    if state in _NODE_STATES:
        return Next(Step.EXPAND, wanted) if wanted > allocated else Next(Step.NOTHING)
    if wanted > have:
        return Next(Step.EXPAND, wanted)
    return Next(Step.GIVE_UP) if state == "ControllerResizeInfeasible" else Next(Step.NOTHING)


def begun(claim: Obj, size: int, now: datetime) -> Obj:
    """The status while the driver works."""
    status = _status(claim, "ControllerResizeInProgress", size)
    conditions = without_condition(conditions_of(claim), ERROR)
    return {**status, "conditions": with_condition(conditions, {"type": RESIZING, "status": "True"}, now)}


def done(claim: Obj, size: int, *, on_node: bool, now: datetime) -> Obj:
    """The status when the driver has done its part; `on_node`: the file system must still fill the volume."""
    conditions = conditions_of(claim)
    for each in (RESIZING, ERROR, PENDING, *(() if on_node else (_NODE_ERROR,))):
        conditions = without_condition(conditions, each)
    if on_node:
        pending = {"type": PENDING, "status": "True", "message": _PENDING_TEXT}
        status = _status(claim, "NodeResizePending", size)
        return {**status, "conditions": with_condition(conditions, pending, now)}
    status = _status(claim, "", size)
    capacity = {**(status.get("capacity") or {}), "storage": binary_quantity(size)}
    return _with_conditions({**status, "capacity": capacity}, conditions)


def failed(claim: Obj, message: str, *, for_good: bool, now: datetime) -> Obj:
    """The status after a failure; `for_good`: the size will not be had by trying again."""
    status = dict(claim.get("status") or {})
    if for_good:
        statuses = {**(status.get("allocatedResourceStatuses") or {}), "storage": "ControllerResizeInfeasible"}
        status["allocatedResourceStatuses"] = statuses
    condition = {"type": ERROR, "status": "True", "message": message}
    return {**status, "conditions": with_condition(conditions_of(claim), condition, now)}


def given_up(claim: Obj) -> Obj:
    """The status when the size that could not be had is not asked for any more."""
    status = _status(claim, "", bytes_of(claim["status"]["capacity"]["storage"]))
    conditions = without_condition(without_condition(conditions_of(claim), RESIZING), ERROR)
    return _with_conditions(status, conditions)


def _status(claim: Obj, state: str, size: int) -> Obj:
    """With what is allocated, and how far that is ("" for done)."""
    status = dict(claim.get("status") or {})
    status["allocatedResources"] = {**(status.get("allocatedResources") or {}), "storage": binary_quantity(size)}
    others = dict(status.pop("allocatedResourceStatuses", None) or {})
    others.pop("storage", None)
    statuses = {**others, "storage": state} if state else others
    return {**status, "allocatedResourceStatuses": statuses} if statuses else status


def _with_conditions(status: Obj, conditions: list[Obj]) -> Obj:
    if conditions:
        return {**status, "conditions": conditions}
    return {key: value for key, value in status.items() if key != "conditions"}
