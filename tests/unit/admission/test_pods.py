"""What admission gives pods: account, token volume, priority, tolerations, runtime class."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import Chain, Plugin
from skerry.engine.api.admission.default_tolerations import default_toleration_seconds
from skerry.engine.api.admission.priority import priority
from skerry.engine.api.admission.runtime_class import runtime_class
from skerry.engine.api.admission.service_account import service_account
from skerry.engine.store.contract import Key
from skerry.engine.store.memory import MemoryStore
from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj
from skerry.kube.resources import PODS, PRIORITY_CLASSES
from tests.unit.admission.attributes import attributes


def pod(**spec: Any) -> Obj:
    containers = [{"name": "main", "image": "i"}]
    return {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": containers, **spec}}


async def put(store: MemoryStore, resource: str, name: str, namespace: str = "", **content: Any) -> None:
    obj = {"metadata": {"name": name, "namespace": namespace}, **content}
    await store.create(Key(resource, namespace, name), lambda revision: orjson.dumps(obj))


async def admit(plugin: Plugin, on: Attributes) -> Obj:
    await Chain((plugin,)).admit(on)
    return on.obj["spec"]  # type: ignore[no-any-return]


async def test_the_token_is_mounted_where_nothing_else_is() -> None:
    store = MemoryStore()
    await put(store, "serviceaccounts", "default", "default", imagePullSecrets=[{"name": "registry"}])
    own = [{"name": "x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]
    given = pod(initContainers=[{"name": "first", "volumeMounts": own}])
    spec = await admit(service_account(store), attributes(PODS, given))
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert [next(iter(source)) for source in volume["projected"]["sources"]] == [
        "serviceAccountToken",
        "configMap",
        "downwardAPI",
    ]
    assert volume["projected"]["sources"][0]["serviceAccountToken"] == {"expirationSeconds": 3607, "path": "token"}
    assert spec["initContainers"][0]["volumeMounts"] == own
    (mount,) = spec["containers"][0]["volumeMounts"]
    assert mount == {"name": volume["name"], "readOnly": True, "mountPath": own[0]["mountPath"]}
    again = await admit(service_account(store), attributes(PODS, {**given, "spec": spec}))
    assert len(again["volumes"]) == 1
    assert len(again["containers"][0]["volumeMounts"]) == 1


@pytest.mark.parametrize(
    ("account", "own", "mounted"), [(None, None, True), (False, None, False), (False, True, True), (True, False, False)]
)
async def test_who_does_not_want_the_token(account: bool | None, own: bool | None, mounted: bool) -> None:
    store = MemoryStore()
    await put(store, "serviceaccounts", "app", "default", automountServiceAccountToken=account)
    given = pod(serviceAccountName="app", automountServiceAccountToken=own)
    spec = await admit(service_account(store), attributes(PODS, given))
    assert ("volumes" in spec) is mounted


async def test_an_account_that_is_missing() -> None:
    missing = attributes(PODS, pod(serviceAccountName="nobody"))
    why = r'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found'
    with pytest.raises(Forbidden, match=why):
        await admit(service_account(MemoryStore()), missing)


async def test_the_default_account_is_waited_for() -> None:
    store = MemoryStore()
    admitted = asyncio.create_task(admit(service_account(store), attributes(PODS, pod())))
    await asyncio.sleep(0)
    await put(store, "serviceaccounts", "other", "default")
    assert not admitted.done()
    await put(store, "serviceaccounts", "default", "default")
    assert (await admitted)["serviceAccountName"] == "default"


async def test_priority_by_class_by_default_and_by_nobody() -> None:
    store = MemoryStore()
    await put(store, "priorityclasses.scheduling.k8s.io", "high", value=7, preemptionPolicy="Never")
    spec = await admit(priority(store), attributes(PODS, pod(priorityClassName="high")))
    assert (spec["priority"], spec["preemptionPolicy"]) == (7, "Never")
    spec = await admit(priority(store), attributes(PODS, pod()))
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    await put(store, "priorityclasses.scheduling.k8s.io", "usual", value=3, globalDefault=True)
    spec = await admit(priority(store), attributes(PODS, pod()))
    assert (spec["priority"], spec["priorityClassName"]) == (3, "usual")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "x"}, "no PriorityClass with name x was found"),
        ({"priority": 9}, r"the integer value of priority \(9\) must not be provided in pod spec; .* computed 0 from"),
        ({"preemptionPolicy": "Never"}, r"the string value of PreemptionPolicy \(Never\) must not be provided"),
    ],
)
async def test_priorities_that_are_refused(spec: Obj, why: str) -> None:
    with pytest.raises(Forbidden, match=why):
        await admit(priority(MemoryStore()), attributes(PODS, pod(**spec)))


async def test_only_one_default_priority() -> None:
    store = MemoryStore()
    await put(store, "priorityclasses.scheduling.k8s.io", "usual", value=3, globalDefault=True)
    other = {"metadata": {"name": "other"}, "value": 1, "globalDefault": True}
    with pytest.raises(Forbidden, match="PriorityClass usual is already marked as default"):
        await Chain((priority(store),)).admit(attributes(PRIORITY_CLASSES, other))
    same = {"metadata": {"name": "usual"}, "value": 3, "globalDefault": True}
    await Chain((priority(store),)).admit(attributes(PRIORITY_CLASSES, same, same))


async def test_tolerations_unless_they_are_there() -> None:
    spec = await admit(default_toleration_seconds(), attributes(PODS, pod()))
    assert [(each["key"], each["tolerationSeconds"]) for each in spec["tolerations"]] == [
        ("node.kubernetes.io/not-ready", 300),
        ("node.kubernetes.io/unreachable", 300),
    ]
    everything = [{"operator": "Exists"}]
    spec = await admit(default_toleration_seconds(), attributes(PODS, pod(tolerations=everything)))
    assert spec["tolerations"] == everything


async def test_runtime_class_brings_overhead_and_places() -> None:
    store = MemoryStore()
    scheduling = {"nodeSelector": {"kind": "vm"}, "tolerations": [{"key": "vm", "operator": "Exists"}]}
    overhead = {"podFixed": {"memory": "100Mi"}}
    await put(store, "runtimeclasses.node.k8s.io", "vm", handler="vm", overhead=overhead, scheduling=scheduling)
    spec = await admit(runtime_class(store), attributes(PODS, pod(runtimeClassName="vm", nodeSelector={"a": "b"})))
    assert spec["overhead"] == {"memory": "100Mi"}
    assert spec["nodeSelector"] == {"a": "b", "kind": "vm"}
    assert spec["tolerations"] == scheduling["tolerations"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"runtimeClassName": "x"}, 'pod rejected: RuntimeClass "x" not found'),
        ({"overhead": {"cpu": "1"}}, "Pod Overhead set without corresponding RuntimeClass defined Overhead"),
    ],
)
async def test_runtime_classes_that_are_refused(spec: Obj, why: str) -> None:
    with pytest.raises(Forbidden, match=why):
        await admit(runtime_class(MemoryStore()), attributes(PODS, pod(**spec)))
