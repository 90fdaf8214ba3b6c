"""Default classes, protecting finalizers, the taint of new nodes."""

from __future__ import annotations

from typing import Any

import orjson

from skerry.engine.api.admission.chain import Chain
from skerry.engine.api.admission.default_classes import default_ingress_class, default_storage_class
from skerry.engine.api.admission.storage_protection import storage_object_in_use_protection
from skerry.engine.api.admission.taint_nodes import taint_nodes_by_condition
from skerry.engine.store.contract import Key
from skerry.engine.store.memory import MemoryStore
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import NODES, PERSISTENT_VOLUME_CLAIMS
from tests.unit.admission.attributes import attributes

INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")


async def classes(resource: str, mark: str) -> MemoryStore:
    """Two that are marked, the younger called b; one that is not."""
    store = MemoryStore()
    for name, made, marked in (("a", "2026-01-01", "true"), ("b", "2026-02-01", "true"), ("c", "2026-03-01", "false")):
        metadata = {"name": name, "creationTimestamp": f"{made}T00:00:00Z", "annotations": {mark: marked}}
        value = orjson.dumps({"metadata": metadata})
        await store.create(Key(resource, "", name), lambda _, value=value: value)  # type: ignore[misc]
    return store


def claim(**spec: Any) -> Obj:
    return {"metadata": {"name": "c", "namespace": "default"}, "spec": spec}


async def test_the_newest_default_class() -> None:
    store = await classes("storageclasses.storage.k8s.io", "storageclass.kubernetes.io/is-default-class")
    chain = Chain((default_storage_class(store),))
    for given, wanted in (({}, "b"), ({"storageClassName": ""}, ""), ({"storageClassName": "x"}, "x")):
        on = attributes(PERSISTENT_VOLUME_CLAIMS, claim(**given))
        await chain.admit(on)
        assert on.obj["spec"]["storageClassName"] == wanted


async def test_no_default_class() -> None:
    on = attributes(PERSISTENT_VOLUME_CLAIMS, claim())
    await Chain((default_storage_class(MemoryStore()),)).admit(on)
    assert on.obj["spec"] == {}


async def test_ingress_class_unless_the_old_annotation_names_one() -> None:
    store = await classes("ingressclasses.networking.k8s.io", "ingressclass.kubernetes.io/is-default-class")
    chain = Chain((default_ingress_class(store),))
    plain = attributes(INGRESSES, {"metadata": {"name": "i"}, "spec": {}})
    await chain.admit(plain)
    assert plain.obj["spec"] == {"ingressClassName": "b"}
    old = attributes(INGRESSES, {"metadata": {"name": "i", "annotations": {"kubernetes.io/ingress.class": "n"}}})
    await chain.admit(old)
    assert old.obj["spec"] == {}


async def test_finalizers_and_taints_once() -> None:
    on = attributes(PERSISTENT_VOLUME_CLAIMS, claim())
    node = attributes(NODES, {"metadata": {"name": "n"}, "spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}})
    chain = Chain((storage_object_in_use_protection(), taint_nodes_by_condition()))
    for _ in range(2):
        await chain.admit(on)
        await chain.admit(node)
    assert on.obj["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert [taint["key"] for taint in node.obj["spec"]["taints"]] == ["k", "node.kubernetes.io/not-ready"]
