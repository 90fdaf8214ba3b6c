"""What is wrong with a cluster's volumes, and what helps. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.cli.storage.reading import Everything
from skerry.cli.storage.totals import capacity_of
from skerry.kube.conditions import condition_of
from skerry.kube.objects import is_deleting, name_of, namespace_of
from skerry.kube.records import record
from skerry.kube.sizes import size_text


@record
class Finding:
    """`reason`: one word for programs. `about`: kind/name, with the namespace of what has one."""

    reason: str
    about: str
    message: str
    help: str

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"reason": self.reason, "about": self.about, "message": self.message, "help": self.help}


def findings(found: Everything) -> list[Finding]:
    """Everything that is wrong."""
    return [
        *_pools(found),
        *_volumes(found),
        *_claims(found),
        *_attachments(found),
        *_snapshots(found),
        *_contents(found),
    ]


def _pools(found: Everything) -> Iterator[Finding]:
    for pool in found.pools:
        status, name = pool.get("status") or {}, name_of(pool)
        ready = condition_of(pool, "Ready")
        if ready is not None and ready.get("status") == "False":
            yield Finding("DriverUnavailable", f"storagepool/{name}", ready.get("message", ""), "skerry logs")
        for one in status.get("missing") or ():
            claim = f" of claim {one['claim']}" if one.get("claim") else ""
            yield Finding(
                "DataGone",
                f"persistentvolume/{one['persistentVolume']}",
                f"its data{claim} are gone: {name} has no volume {one['handle']}",
                "restore them from a backup into a new claim",
            )
        for one in status.get("orphans") or ():
            yield Finding(
                "Orphan",
                f"{name}/{one['handle']}",
                f"{size_text(one.get('size'))} that no PersistentVolume has, since {one.get('since', '?')}",
                f"skerry storage repair --reclaim {one['handle']}",
            )
        for one in status.get("refused") or ():
            yield Finding("NotReclaimed", f"{name}/{one['handle']}", one.get("message", ""), "")


def _volumes(found: Everything) -> Iterator[Finding]:
    claims = {claim["metadata"].get("uid") for claim in found.claims}
    for volume in found.volumes:
        phase, name = (volume.get("status") or {}).get("phase"), name_of(volume)
        reference = volume["spec"].get("claimRef") or {}
        if is_deleting(volume) or (phase not in ("Released", "Failed") and reference.get("uid") in (None, *claims)):
            continue
        reclaim = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
        if phase == "Released" and reclaim == "Delete":
            continue  # it is being deleted
        message = (volume.get("status") or {}).get("message") or ""
        was = f"{reference.get('namespace')}/{reference.get('name')}" if reference.get("name") else "nobody"
        why = f": {message}" if message else ""
        yield Finding(
            "VolumeWithoutClaim",
            f"persistentvolume/{name}",
            f"{size_text(capacity_of(volume))} that were {was}'s ({phase}, {reclaim}){why}",
            f"kubectl delete persistentvolume {name}",
        )


def _claims(found: Everything) -> Iterator[Finding]:
    volumes = {name_of(one) for one in found.volumes}
    for claim in found.claims:
        phase, volume = (claim.get("status") or {}).get("phase"), claim["spec"].get("volumeName")
        if phase == "Lost" or (phase == "Bound" and volume not in volumes):
            yield Finding(
                "ClaimLost",
                f"persistentvolumeclaim/{namespace_of(claim)}/{name_of(claim)}",
                f"its PersistentVolume {volume} is gone",
                "restore the volume from a backup, or delete the claim",
            )


def _attachments(found: Everything) -> Iterator[Finding]:
    volumes, nodes = {name_of(one) for one in found.volumes}, {name_of(one) for one in found.nodes}
    for attachment in found.attachments:
        spec, name = attachment["spec"], name_of(attachment)
        volume = (spec.get("source") or {}).get("persistentVolumeName")
        gone = []
        if volume and volume not in volumes:
            gone.append(f"PersistentVolume {volume}")
        if spec.get("nodeName") not in nodes:
            gone.append(f"node {spec.get('nodeName')}")
        if gone:
            text = f"{' and '.join(gone)} {'are' if len(gone) > 1 else 'is'} gone"
            yield Finding(
                "StaleAttachment", f"volumeattachment/{name}", text, f"kubectl delete volumeattachment {name}"
            )


def _snapshots(found: Everything) -> Iterator[Finding]:
    contents = {name_of(one) for one in found.contents}
    for snapshot in found.snapshots:
        status = snapshot.get("status") or {}
        content, about = status.get("boundVolumeSnapshotContentName"), f"{namespace_of(snapshot)}/{name_of(snapshot)}"
        error = (status.get("error") or {}).get("message")
        if content and content not in contents:
            text = f"its VolumeSnapshotContent {content} is gone"
            yield Finding("SnapshotLost", f"volumesnapshot/{about}", text, "delete the snapshot")
        elif error and not status.get("readyToUse"):
            yield Finding("SnapshotFailed", f"volumesnapshot/{about}", error, "")


def _contents(found: Everything) -> Iterator[Finding]:
    snapshots = {(namespace_of(one), name_of(one)) for one in found.snapshots}
    for content in found.contents:
        reference, name = content["spec"].get("volumeSnapshotRef") or {}, name_of(content)
        if is_deleting(content) or (reference.get("namespace"), reference.get("name")) in snapshots:
            continue
        error = ((content.get("status") or {}).get("error") or {}).get("message")
        if content["spec"].get("deletionPolicy") == "Delete" and not error:
            continue  # it is being deleted
        was = f"{reference.get('namespace')}/{reference.get('name')}"
        yield Finding(
            "SnapshotWithoutOwner",
            f"volumesnapshotcontent/{name}",
            f"the VolumeSnapshot {was} it was taken for is gone{f': {error}' if error else ''}",
            f"kubectl delete volumesnapshotcontent {name}",
        )
