"""The fields of core/v1 and events.k8s.io/v1 events, each way. Source: `pkg/apis/events/v1/conversion.go`."""

from __future__ import annotations

from skerry.kube.objects import Obj

_CORE_TO_NEW = {
    "involvedObject": "regarding", "message": "note", "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp", "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount", "reportingComponent": "reportingController",
}  # fmt: skip
_NEW_TO_CORE = {new: core for core, new in _CORE_TO_NEW.items()}


def to_events(obj: Obj) -> Obj:
    """A core event as events.k8s.io/v1 shows it."""
    return {"kind": "Event", "apiVersion": "events.k8s.io/v1", **_renamed(obj, _CORE_TO_NEW)}


def to_core(obj: Obj) -> Obj:
    """An events.k8s.io/v1 event as it is stored."""
    return {"kind": "Event", "apiVersion": "v1", "involvedObject": {}, **_renamed(obj, _NEW_TO_CORE)}


def _renamed(obj: Obj, names: dict[str, str]) -> Obj:
    return {names.get(key, key): value for key, value in obj.items() if key not in ("kind", "apiVersion")}
