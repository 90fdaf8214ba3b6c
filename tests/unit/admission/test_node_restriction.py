"""A node writes about itself and its own pods only."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from skerry.engine.api.admission.chain import Chain
from skerry.engine.api.admission.node_restriction import may_label, node_restriction
from skerry.engine.api.auth.access import NO_OPINION, Access, Decision
from skerry.engine.api.request import User
from skerry.engine.store.contract import Key
from skerry.engine.store.memory import MemoryStore
from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj
from skerry.kube.resources import LEASES, NODES, PODS, SERVICE_ACCOUNTS
from tests.unit.admission.attributes import attributes

NODE = User("system:node:n1", frozenset({"system:nodes"}))


def pod(node: str, **metadata: Any) -> Obj:
    return {"metadata": {"name": "p", "namespace": "default", "uid": "u", **metadata}, "spec": {"nodeName": node}}


def with_token(obj: Obj, audience: str) -> Obj:
    """The pod with a volume of a token for an audience."""
    source = {"serviceAccountToken": {"path": "token", **({"audience": audience} if audience else {})}}
    volumes = [{"name": "t", "projected": {"sources": [source]}}]
    return {**obj, "spec": {**obj["spec"], "volumes": volumes}}


def chain(store: MemoryStore | None = None, control_plane: str = "n9") -> Chain:
    return Chain((node_restriction(store or MemoryStore(), control_plane, lambda access: NO_OPINION),))


async def test_status_of_its_own_pods() -> None:
    await chain().admit(attributes(PODS, pod("n1"), pod("n1"), subresource="status", user=NODE))
    with pytest.raises(Forbidden, match="can only update pod status for pods with"):
        await chain().admit(attributes(PODS, pod("n2"), pod("n2"), subresource="status", user=NODE))
    await chain().admit(attributes(PODS, pod("n2"), pod("n2"), subresource="status"))  # by somebody else
    with pytest.raises(Forbidden, match="cannot update labels through pod status"):
        await chain().admit(attributes(PODS, pod("n1", labels={"a": "b"}), pod("n1"), subresource="status", user=NODE))


async def test_only_its_own_pods_go_and_only_mirrors_come() -> None:
    await chain().admit(attributes(PODS, None, pod("n1"), user=NODE))
    with pytest.raises(Forbidden, match='node "n1" can only delete pods with'):
        await chain().admit(attributes(PODS, None, pod("n2"), user=NODE))
    with pytest.raises(Forbidden, match='node "n1" can only create mirror pods'):
        await chain().admit(attributes(PODS, pod("n1"), user=NODE))
    mirror = pod("n1", annotations={"kubernetes.io/config.mirror": "x"})
    await chain().admit(attributes(PODS, mirror, user=NODE))
    with pytest.raises(Forbidden, match="only 'status' and 'eviction' are allowed"):
        await chain().admit(attributes(PODS, {"metadata": {"name": "p"}}, subresource="binding", user=NODE))


async def test_itself_without_taints_and_foreign_labels() -> None:
    old: Obj = {"metadata": {"name": "n1", "labels": {"kubernetes.io/os": "linux"}}, "spec": {}}
    await chain().admit(attributes(NODES, old, user=NODE))
    with pytest.raises(Forbidden, match="is not allowed to modify taints"):
        tainted = {**old, "spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}}
        await chain().admit(attributes(NODES, tainted, old, user=NODE))
    with pytest.raises(Forbidden, match=r"modify labels: node-role\.kubernetes\.io/x"):
        labelled = {**old, "metadata": {"name": "n1", "labels": {"node-role.kubernetes.io/x": "", "mine": "yes"}}}
        await chain().admit(attributes(NODES, labelled, {**old, "metadata": {"name": "n1"}}, user=NODE))
    with pytest.raises(Forbidden, match='node "n1" is not allowed to modify node "n2"'):
        await chain().admit(attributes(NODES, {"metadata": {"name": "n2"}}, user=NODE))


async def test_the_node_of_the_server_may_say_so() -> None:
    node: Obj = {"metadata": {"name": "n1", "labels": {"node-role.kubernetes.io/control-plane": ""}}}
    await chain(control_plane="n1").admit(attributes(NODES, node, user=NODE))
    with pytest.raises(Forbidden, match="is not allowed to set the following labels: node-role"):
        await chain().admit(attributes(NODES, node, user=NODE))


def test_labels_a_node_may_set() -> None:
    fine = ("mine", "example.com/x", "kubernetes.io/hostname", "node.kubernetes.io/x", "sub.kubelet.kubernetes.io/x")
    assert all(may_label(key) for key in fine)
    assert not any(may_label(key) for key in ("node-restriction.kubernetes.io/x", "kubernetes.io/x", "a.k8s.io/x"))


async def test_its_lease() -> None:
    def lease(name: str, namespace: str) -> Obj:
        return {"metadata": {"name": name, "namespace": namespace}}

    await chain().admit(attributes(LEASES, lease("n1", "kube-node-lease"), user=NODE))
    for wrong in (lease("n2", "kube-node-lease"), lease("n1", "default")):
        with pytest.raises(Forbidden, match="can only access"):
            await chain().admit(attributes(LEASES, wrong, user=NODE))


@pytest.mark.parametrize(
    ("bound", "why"),
    [
        ({}, "node requested token not bound to a pod"),
        ({"kind": "Pod", "name": "p"}, "without a uid"),
        ({"kind": "Pod", "name": "q", "uid": "u"}, 'pod "q" not found'),
        ({"kind": "Pod", "name": "p", "uid": "v"}, "does not match the UID in record"),
        ({"kind": "Pod", "name": "p", "uid": "u"}, "scheduled on a different node"),
    ],
)
async def test_tokens_for_its_own_pods(bound: Obj, why: str) -> None:
    store = MemoryStore()
    for name, node in (("p", "n2"), ("mine", "n1")):
        value = orjson.dumps(with_token(pod(node), ""))
        await store.create(Key("pods", "default", name), lambda _, value=value: value)  # type: ignore[misc]

    def asked(reference: Obj) -> Obj:
        return {"metadata": {"name": "a", "namespace": "default"}, "spec": {"boundObjectRef": reference}}

    with pytest.raises(Forbidden, match=why):
        await chain(store).admit(attributes(SERVICE_ACCOUNTS, asked(bound), subresource="token", user=NODE))
    own = {"kind": "Pod", "name": "mine", "uid": "u"}
    await chain(store).admit(attributes(SERVICE_ACCOUNTS, asked(own), subresource="token", user=NODE))


@pytest.mark.parametrize(
    ("volumes", "audiences", "why"),
    [
        ("projected", ["vault"], ""),
        ("projected", ["other"], 'audience "other" not found in pod spec volume, system:node:n1 is not authorized'),
        ("projected", [], 'audience "" not found'),
        ("projected", ["vault", "other"], "0 or 1 audiences"),
        ("projected", ["granted"], ""),
        ("csi", ["driver"], ""),
        ("csi", [], ""),
        ("claim", ["driver"], ""),
        ("claim", ["other"], 'audience "other" not found'),
    ],
)
async def test_tokens_are_for_whom_the_pods_volumes_name(volumes: str, audiences: list[str], why: str) -> None:
    kinds: Obj = {
        "projected": with_token(pod("n1"), "vault")["spec"]["volumes"],
        "csi": [{"name": "v", "csi": {"driver": "d"}}],
        "claim": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
    }
    mine = pod("n1")
    mine["spec"]["volumes"] = kinds[volumes]
    store = MemoryStore()
    for key, obj in (
        (Key("pods", "default", "p"), mine),
        (Key("csidrivers.storage.k8s.io", "", "d"), {"spec": {"tokenRequests": [{"audience": "driver"}, {}]}}),
        (Key("persistentvolumeclaims", "default", "c"), {"spec": {"volumeName": "v"}}),
        (Key("persistentvolumes", "", "v"), {"spec": {"csi": {"driver": "d"}}}),
    ):
        value = orjson.dumps(obj)
        await store.create(key, lambda _, value=value: value)  # type: ignore[misc]

    def decide(access: Access) -> Decision:
        right = ("request-serviceaccounts-token-audience", "granted", "default", "a")
        asked = (access.verb, access.resource, access.namespace, access.name)
        return Decision(allowed=asked == right)

    spec = {"audiences": audiences, "boundObjectRef": {"kind": "Pod", "name": "p", "uid": "u"}}
    request = {"metadata": {"name": "a", "namespace": "default"}, "spec": spec}
    admitted = Chain((node_restriction(store, "n9", decide),)).admit(
        attributes(SERVICE_ACCOUNTS, request, subresource="token", user=NODE)
    )
    if why:
        with pytest.raises(Forbidden, match=why):
            await admitted
    else:
        await admitted
