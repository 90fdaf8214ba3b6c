"""`lightkube`: server-side apply with its conflicts, patches, watches, waiting, custom resources, both interfaces."""

from __future__ import annotations

import pytest
from lightkube import ApiError, AsyncClient, Client, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.types import CascadeType, PatchType

from skerry.testing import Cluster


@pytest.fixture
def configuration(shared_cluster: Cluster) -> KubeConfig:
    return KubeConfig.from_file(str(shared_cluster.kubeconfig))


def connect(configuration: KubeConfig, namespace: str) -> Client:
    """A client of the test function's own: it leaves its sockets to the garbage collector."""
    return Client(config=configuration, namespace=namespace, field_manager="tests")


def _map(**data: str) -> ConfigMap:
    return ConfigMap(apiVersion="v1", kind="ConfigMap", metadata=ObjectMeta(name="c"), data=data)


def test_apply_and_its_conflicts(configuration: KubeConfig, namespace: str) -> None:
    lightkube = connect(configuration, namespace)
    lightkube.apply(_map(a="1"))
    assert lightkube.apply(_map(b="2"), field_manager="other").data == {"a": "1", "b": "2"}
    with pytest.raises(ApiError) as conflict:
        lightkube.apply(_map(a="9"), field_manager="other")
    assert conflict.value.status.code == 409
    assert 'conflict with "tests"' in (conflict.value.status.message or "")
    assert lightkube.apply(_map(a="9"), field_manager="other", force=True).data == {"a": "9"}


def test_patches_and_lists(configuration: KubeConfig, namespace: str) -> None:
    lightkube = connect(configuration, namespace)
    lightkube.create(_map(a="1"))
    lightkube.patch(ConfigMap, "c", {"data": {"b": "2"}}, patch_type=PatchType.MERGE)
    changed = [{"op": "remove", "path": "/data/a"}]
    assert lightkube.patch(ConfigMap, "c", changed, patch_type=PatchType.JSON).data == {"b": "2"}
    lightkube.delete(ConfigMap, "c")
    with pytest.raises(ApiError, match='configmaps "c" not found'):
        lightkube.get(ConfigMap, "c")


def _deployment() -> Deployment:
    pod = PodSpec(containers=[Container(name="c", image="i")])
    template = PodTemplateSpec(metadata=ObjectMeta(labels={"app": "d"}), spec=pod)
    spec = DeploymentSpec(replicas=2, selector=LabelSelector(matchLabels={"app": "d"}), template=template)
    return Deployment(apiVersion="apps/v1", kind="Deployment", metadata=ObjectMeta(name="d"), spec=spec)


def test_a_deployment_waited_for_scaled_and_deleted_with_its_pods(configuration: KubeConfig, namespace: str) -> None:
    lightkube = connect(configuration, namespace)
    lightkube.apply(_deployment())
    lightkube.wait(Deployment, "d", for_conditions=["Available"])
    scale = lightkube.get(Deployment.Scale, "d")
    assert scale.spec.replicas == 2
    scale.spec.replicas = 1
    lightkube.replace(scale)
    for _, one in lightkube.watch(Deployment, fields={"metadata.name": "d"}):
        if one.status and one.status.readyReplicas == 1 and one.status.replicas == 1:
            break
    lightkube.delete(Deployment, "d", cascade=CascadeType.FOREGROUND)
    for event, _ in lightkube.watch(Deployment, resource_version=_revision(one)):
        if event == "DELETED":
            break
    assert list(lightkube.list(Pod, labels={"app": "d"})) == []


def _revision(deployment: Deployment) -> str:
    """From here a watch tells of all that came after, however late it begins."""
    assert deployment.metadata is not None
    assert deployment.metadata.resourceVersion is not None
    return deployment.metadata.resourceVersion


async def test_the_asynchronous_interface(configuration: KubeConfig, namespace: str) -> None:
    client = AsyncClient(config=configuration, namespace=namespace, field_manager="tests")
    await client.apply(_map(n="0"))
    seen = []
    async for event, one in client.watch(ConfigMap, fields={"metadata.name": "c"}):
        seen.append((event, (one.data or {}).get("n")))
        if event == "ADDED":
            await client.apply(_map(n="1"))
        elif event == "MODIFIED":
            await client.delete(ConfigMap, "c")
        else:
            break
    assert seen == [("ADDED", "0"), ("MODIFIED", "1"), ("DELETED", "1")]
    await client.close()


def test_instances_of_a_definition(configuration: KubeConfig, namespace: str) -> None:
    lightkube = connect(configuration, namespace)
    group = f"{namespace}.example.com"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Boat", "plural": "boats", "singular": "boat"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    definition = CustomResourceDefinition.from_dict({"metadata": {"name": f"boats.{group}"}, "spec": spec})
    lightkube.create(definition)
    lightkube.wait(CustomResourceDefinition, f"boats.{group}", for_conditions=["Established"])
    boat = create_namespaced_resource(group, "v1", "Boat", "boats")
    lightkube.create(boat(metadata={"name": "skiff"}, spec={"masts": 1}))
    assert [one.spec["masts"] for one in lightkube.list(boat)] == [1]
    lightkube.delete(CustomResourceDefinition, f"boats.{group}")
