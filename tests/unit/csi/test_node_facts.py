"""What a node tells the API of its drivers, and what it calls its directories to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.csi.paths import PathsInDrivers
from skerry.engine.storage.csi.registration import registration_pb2 as pb
from skerry.engine.storage.csi.registration.node_facts import (
    Collision,
    NodeDriver,
    built_in,
    csi_node,
    node_patch,
    says_the_same,
)
from skerry.engine.storage.csi.registration.plugin import Plugin, checked

NODE = {"metadata": {"name": "n1", "uid": "u", "labels": {"kubernetes.io/hostname": "n1", "zone": "a"}}}
DRIVER = NodeDriver("d.test", "id-1", 5, {"zone": "a", "rack": "r1"})


def test_a_csinode_lists_drivers_with_what_they_are_limited_to() -> None:
    made = csi_node(NODE, None, [DRIVER, built_in("a.test", "n1")], lambda _: False)
    assert made["spec"]["drivers"] == [
        {"name": "a.test", "nodeID": "n1", "topologyKeys": ["kubernetes.io/hostname"]},
        {"name": "d.test", "nodeID": "id-1", "topologyKeys": ["rack", "zone"], "allocatable": {"count": 5}},
    ]
    assert made["metadata"]["ownerReferences"] == [{"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u"}]
    assert says_the_same(made, made)
    without = csi_node(NODE, made, [], lambda name: name == "d.test")
    assert [driver["name"] for driver in without["spec"]["drivers"]] == ["d.test"]
    assert not says_the_same(without, made)


def test_a_node_gets_labels_of_where_it_is_once() -> None:
    patch = node_patch(NODE, [DRIVER])
    assert patch["metadata"]["labels"] == {"rack": "r1"}
    assert patch["metadata"]["annotations"] == {"csi.volume.kubernetes.io/nodeid": '{"d.test":"id-1"}'}
    assert node_patch(NODE, []) == {}
    with pytest.raises(Collision, match="topology value collision"):
        node_patch(NODE, [NodeDriver("d.test", "id-1", segments={"zone": "b"})])


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"type": "DevicePlugin"}, "no handler registered for plugin type"),
        ({"supported_versions": ["0.3.0"]}, "no supported version"),
        ({"supported_versions": []}, "no supported version"),
        ({"name": ""}, "no name"),
    ],
)
def test_plugins_that_are_no_drivers_are_refused_by_name(wrong: dict[str, Any], why: str) -> None:
    right = {"type": "CSIPlugin", "name": "d.test", "supported_versions": ["1.0.0"], "endpoint": "/x/csi.sock"}
    assert checked(pb.PluginInfo(**right), Path("/reg.sock")) == Plugin("d.test", Path("/x/csi.sock"))
    assert checked(pb.PluginInfo(**{**right, "endpoint": ""}), Path("/reg.sock")).endpoint == Path("/reg.sock")
    with pytest.raises(StorageError, match=why):
        checked(pb.PluginInfo(**{**right, **wrong}), Path("/reg.sock"))


def test_drivers_are_told_their_own_names_of_directories() -> None:
    paths = PathsInDrivers([(Path("/data/pods"), Path("/var/lib/kubelet/pods"))])
    assert paths.of(Path("/data/pods/uid/volumes/x/mount")) == "/var/lib/kubelet/pods/uid/volumes/x/mount"
    assert paths.of(Path("/data/podsters")) == "/data/podsters"
