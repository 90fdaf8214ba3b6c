"""Which volumes are attached where, from pods, claims and what nodes say they have mounted."""

from __future__ import annotations

from skerry.engine.storage.csi.attaching import wanted
from skerry.engine.storage.csi.driver_objects import CONTROLLER_ANNOTATION, DriverRules, rules_of
from skerry.kube.objects import Obj

VOLUME: Obj = {
    "metadata": {"name": "pv-1"},
    "spec": {"csi": {"driver": "d.test", "volumeHandle": "h"}, "claimRef": {"namespace": "team", "name": "data"}},
}


def pod(volume: Obj, *, node: str = "n1", phase: str = "Running", namespace: str = "team") -> Obj:
    """A pod with one volume."""
    spec = {"nodeName": node, "volumes": [{"name": "data", **volume}]}
    return {"metadata": {"name": "web", "namespace": namespace}, "spec": spec, "status": {"phase": phase}}


def test_a_volume_is_wanted_where_pods_of_its_claim_are() -> None:
    claim = {"persistentVolumeClaim": {"claimName": "data"}}
    assert wanted.nodes_wanting(VOLUME, [pod(claim), pod(claim, node="n2")]) == {"n1", "n2"}
    others = [pod(claim, node=""), pod(claim, phase="Succeeded"), pod(claim, namespace="other"), pod({"emptyDir": {}})]
    assert wanted.nodes_wanting(VOLUME, others) == set()
    ephemeral = {**VOLUME, "spec": {**VOLUME["spec"], "claimRef": {"namespace": "team", "name": "web-data"}}}
    assert wanted.nodes_wanting(ephemeral, [pod({"ephemeral": {}})]) == {"n1"}
    assert wanted.nodes_wanting({**VOLUME, "spec": {}}, [pod(claim)]) == set()


def test_attachments_are_named_as_in_kubernetes_and_only_those_are_ours() -> None:
    """The kubelet looks them up by this name, and people make VolumeAttachments of other names."""
    made = wanted.attachment(VOLUME, "n1")
    assert made["metadata"]["name"] == "csi-6c2278253d92c62a47f1654cc2828a83d70f6eb23f34c720415e525fccc50ca1"
    assert made["spec"] == {"attacher": "d.test", "nodeName": "n1", "source": {"persistentVolumeName": "pv-1"}}
    assert wanted.volume_of(made) == "pv-1"
    assert wanted.volume_of({**made, "metadata": {"name": "by-hand"}}) == ""


def test_what_nodes_have_mounted_stays_attached() -> None:
    node = {"metadata": {"name": "n1"}, "status": {"volumesInUse": ["kubernetes.io/csi/d.test^h"]}}
    assert wanted.held([node]) == {wanted.attachment(VOLUME, "n1")["metadata"]["name"]}
    assert wanted.held([{"metadata": {"name": "n1"}}]) == set()


def test_a_driver_says_who_attaches_and_who_controls() -> None:
    assert rules_of(None) == DriverRules(attach=True, engine_controls=False)
    assert rules_of({"spec": {"attachRequired": False}}) == DriverRules(attach=False)
    annotated = {"metadata": {"annotations": {CONTROLLER_ANNOTATION: "engine"}}, "spec": {}}
    assert rules_of(annotated) == DriverRules(engine_controls=True)
    assert rules_of({"metadata": {"annotations": {CONTROLLER_ANNOTATION: "chart"}}}) == DriverRules()
