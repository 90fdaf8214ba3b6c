"""Whether a snapshot and a content belong together, and what the one says because of the other. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from skerry.engine.storage.snapshots.taking import SnapshotError
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.quantities import binary_quantity


def points_at(content: Obj, snapshot: Obj) -> bool:
    """Whether a content is for this snapshot, and no other of its name."""
    reference = content["spec"]["volumeSnapshotRef"]
    place = (reference.get("namespace"), reference.get("name"))
    return place == (namespace_of(snapshot), name_of(snapshot)) and reference.get("uid", "") in ("", uid_of(snapshot))


def check_given(snapshot: Obj, content: Obj | None) -> Obj:
    """The content that a snapshot of what is there names. Raises SnapshotError."""
    name = snapshot["spec"]["source"]["volumeSnapshotContentName"]
    if content is None:
        raise SnapshotError("SnapshotContentMissing", f"VolumeSnapshotContent {name} is missing")
    if "snapshotHandle" not in content["spec"]["source"]:
        raise SnapshotError(
            "SnapshotContentMismatch", f"VolumeSnapshotContent {name} was made for a snapshot of a claim"
        )
    if not points_at(content, snapshot):
        raise SnapshotError(
            "SnapshotContentMisbound", f"VolumeSnapshotContent {name} is bound to a different VolumeSnapshot"
        )
    return content


def status_of(content: Obj) -> Obj:
    """What a snapshot's status says of its content."""
    known = content.get("status") or {}
    status: Obj = {
        "boundVolumeSnapshotContentName": name_of(content),
        "readyToUse": bool(known.get("readyToUse")),
    }
    if "creationTime" in known:
        status["creationTime"] = rfc3339(datetime.fromtimestamp(known["creationTime"] / 10**9, UTC))
    if "restoreSize" in known:
        status["restoreSize"] = binary_quantity(known["restoreSize"])
    if known.get("error"):
        status["error"] = known["error"]
    return status


def with_error(status: Obj | None, message: str, now: datetime) -> Obj:
    """A status that tells of a failure; the time of one that is known stays."""
    before = ((status or {}).get("error") or {}).get("message")
    if before == message:
        return dict(status or {})
    return {**(status or {}), "readyToUse": False, "error": {"message": message, "time": rfc3339(now)}}
