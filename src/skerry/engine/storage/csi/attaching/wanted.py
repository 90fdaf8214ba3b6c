"""Which VolumeAttachments there are to be. Pure.

Source of the behaviour: Kubernetes' `pkg/controller/volume/attachdetach` and `pkg/volume/csi/csi_attacher.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from skerry.engine.storage.mounting.resolving import attachment_name
from skerry.engine.storage.mounting.sources import claim_name
from skerry.kube.objects import Obj, name_of, namespace_of

_IN_USE = "kubernetes.io/csi/"
_NAME = re.compile("csi-[0-9a-f]{64}")


def attachment(volume: Obj, node: str) -> Obj:
    """What asks whoever attaches to do so."""
    source = volume["spec"]["csi"]
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttachment",
        "metadata": {"name": attachment_name(source["volumeHandle"], source["driver"], node)},
        "spec": {
            "attacher": source["driver"],
            "nodeName": node,
            "source": {"persistentVolumeName": name_of(volume)},
        },
    }


def volume_of(attached: Obj) -> str:
    """The PersistentVolume a VolumeAttachment is for; "" for one that somebody else made: it is not ours to delete."""
    if not _NAME.fullmatch(name_of(attached)):
        return ""
    return str(attached["spec"]["source"].get("persistentVolumeName") or "")


def claims_of(pod: Obj) -> Iterator[str]:
    """Claims that a pod on a node needs, as "namespace/name", until it is over."""
    if not pod["spec"].get("nodeName") or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return
    for volume in pod["spec"].get("volumes") or ():
        if claim := claim_name(pod, volume):
            yield f"{namespace_of(pod)}/{claim}"


def nodes_wanting(volume: Obj, pods: Iterable[Obj]) -> set[str]:
    """Where a volume must be: at the nodes of pods of its claim."""
    reference = volume["spec"].get("claimRef") or {}
    claim = f"{reference.get('namespace', '')}/{reference.get('name', '')}"
    return {pod["spec"]["nodeName"] for pod in pods if claim in claims_of(pod)}


def held(nodes: Iterable[Obj]) -> set[str]:
    """Names of VolumeAttachments whose volumes nodes say are still mounted: these must stay."""
    found = set()
    for node in nodes:
        for used in (node.get("status") or {}).get("volumesInUse") or ():
            driver, _, handle = used.removeprefix(_IN_USE).partition("^")
            found.add(attachment_name(handle, driver, name_of(node)))
    return found
