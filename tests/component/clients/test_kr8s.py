"""`kr8s`: its asynchronous interface: objects, waiting, watching, applying, scaling, custom resources."""

from __future__ import annotations

from typing import Any

import kr8s
import pytest
from kr8s.asyncio.objects import ConfigMap, CustomResourceDefinition, Deployment, Pod, new_class

from skerry.testing import Cluster
from tests.support.waiting import LIMIT, until

pytestmark = [
    # this release of kr8s says so of every server after 1.35
    pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported:UserWarning"),
    # it leaves answers of watches to the garbage collector
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]

POD: dict[str, Any] = {"containers": [{"name": "c", "image": "i"}]}


@pytest.fixture
async def kr(shared_cluster: Cluster, namespace: str) -> Any:
    return await kr8s.asyncio.api(kubeconfig=str(shared_cluster.kubeconfig), namespace=namespace)


async def test_a_pod_from_creation_to_deletion(kr: Any) -> None:
    pod = await Pod({"metadata": {"name": "p", "labels": {"app": "p"}}, "spec": POD}, api=kr)
    await pod.create()
    await pod.wait("condition=Ready", timeout=int(LIMIT))
    assert await pod.ready()
    await pod.label(tier="front")
    await pod.annotate(note="words")
    listed = [one.name async for one in kr.get("pods", label_selector={"tier": "front"})]
    assert listed == ["p"]
    await pod.delete()
    await pod.wait("delete", timeout=int(LIMIT))
    assert not await pod.exists()


async def test_a_watch(kr: Any) -> None:
    first = await ConfigMap({"metadata": {"name": "c"}, "data": {"n": "0"}}, api=kr)
    await first.create()
    seen = []
    async for event, one in kr.watch("configmaps"):
        if one.name != "c":
            continue
        seen.append((event, one.raw["data"]["n"]))
        if event == "ADDED":
            await first.patch({"data": {"n": "1"}})
        elif event == "MODIFIED":
            await first.delete()
        else:
            break
    assert seen == [("ADDED", "0"), ("MODIFIED", "1"), ("DELETED", "1")]


async def test_scaling_a_deployment(kr: Any) -> None:
    template = {"metadata": {"labels": {"app": "d"}}, "spec": POD}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    deployment = await Deployment({"metadata": {"name": "d"}, "spec": spec}, api=kr)
    await deployment.create()
    await deployment.scale(3)

    async def all_ready() -> bool:
        await deployment.refresh()
        return deployment.status["readyReplicas"] == 3

    await until(all_ready)
    assert len([pod async for pod in kr.get("pods", label_selector={"app": "d"})]) == 3
    assert await deployment.ready()


async def test_instances_of_a_definition(kr: Any, namespace: str) -> None:
    group = f"{namespace}.example.com"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Boat", "plural": "boats", "singular": "boat"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    definition = await CustomResourceDefinition({"metadata": {"name": f"boats.{group}"}, "spec": spec}, api=kr)
    await definition.create()
    await definition.wait("condition=Established", timeout=int(LIMIT))
    boat = new_class("Boat", f"{group}/v1", namespaced=True, asyncio=True)
    skiff = await boat({"metadata": {"name": "skiff"}, "spec": {"masts": 1}}, api=kr)
    await skiff.create()
    assert [one.raw["spec"]["masts"] async for one in kr.get(f"boats.{group}")] == [1]
    await definition.delete()
    await definition.wait("delete", timeout=int(LIMIT))


async def test_who_and_what(kr: Any) -> None:
    assert (await kr.version())["minor"] == "36"
    kinds = {one["kind"] for one in await kr.api_resources()}
    assert {"Pod", "Deployment", "Job", "CustomResourceDefinition"} <= kinds
    with pytest.raises(kr8s.NotFoundError):
        await Pod.get("nobody", api=kr)
