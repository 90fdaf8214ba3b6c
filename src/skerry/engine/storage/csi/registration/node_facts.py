"""What the API is told of the drivers of this node: the CSINode object, labels and an annotation of the Node. Pure.

Source of the behaviour: Kubernetes' `pkg/volume/csi/nodeinfomanager`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field

import orjson

from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, uid_of
from skerry.kube.records import record

NODE_ID_ANNOTATION = "csi.volume.kubernetes.io/nodeid"
HOSTNAME = "kubernetes.io/hostname"


class Collision(Exception):
    """A driver says that the node is elsewhere than its labels say."""


@record
class NodeDriver:
    """One driver on this node. `most_volumes` 0: no limit; `segments`: where the node is, by topology key."""

    name: str
    node_id: str
    most_volumes: int = 0
    segments: Mapping[str, str] = field(default_factory=dict)


def built_in(name: str, node: str) -> NodeDriver:
    """One of our own."""
    return NodeDriver(name, node, segments={HOSTNAME: node})


def csi_node(node: Obj, before: Obj | None, drivers: Collection[NodeDriver], keeps: Callable[[str], bool]) -> Obj:
    """The CSINode of a node with these drivers, and those it has already that `keeps` says are to stay."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": name_of(node), "uid": uid_of(node)}
    metadata = before["metadata"] if before is not None else {"name": name_of(node)}
    names = {driver.name for driver in drivers}
    kept = [entry for entry in _listed(before) if entry["name"] not in names and keeps(entry["name"])]
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {**metadata, "ownerReferences": [owner]},
        "spec": {"drivers": sorted([*kept, *map(_entry, drivers)], key=lambda entry: str(entry["name"]))},
    }


def _entry(driver: NodeDriver) -> Obj:
    entry: Obj = {"name": driver.name, "nodeID": driver.node_id}
    if driver.segments:
        entry["topologyKeys"] = sorted(driver.segments)
    if driver.most_volumes:
        entry["allocatable"] = {"count": driver.most_volumes}
    return entry


def says_the_same(wanted: Obj, present: Obj) -> bool:
    """Whether a CSINode is as it should be."""
    if wanted["metadata"]["ownerReferences"] != present["metadata"].get("ownerReferences"):
        return False
    return bool(wanted["spec"]["drivers"] == list(_listed(present)))


def _listed(present: Obj | None) -> Sequence[Obj]:
    return ((present or {}).get("spec") or {}).get("drivers") or ()


def node_patch(node: Obj, drivers: Collection[NodeDriver]) -> Obj:
    """What is to change in a Node, {} when nothing is: labels where it is, and its ids by driver. Labels of drivers
    that went stay, because volumes were made for them. Raises Collision."""
    labels = {key: value for driver in drivers for key, value in driver.segments.items()}
    present = labels_of(node)
    for key, value in labels.items():
        if present.get(key, value) != value:
            raise Collision(
                f'detected topology value collision: driver reported "{key}":"{value}" but existing label is '
                f'"{key}":"{present[key]}"'
            )
    metadata: Obj = {}
    if missing := {key: value for key, value in labels.items() if key not in present}:
        metadata["labels"] = missing
    ids = {driver.name: driver.node_id for driver in drivers}
    text = orjson.dumps(ids, option=orjson.OPT_SORT_KEYS).decode() if ids else None
    if annotations_of(node).get(NODE_ID_ANNOTATION) != text:
        metadata["annotations"] = {NODE_ID_ANNOTATION: text}
    return {"metadata": metadata} if metadata else {}
