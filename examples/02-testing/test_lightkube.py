"""lightkube: what a quota-minded program would do, against a node with GPUs."""

import pytest
from lightkube import Client, KubeConfig
from lightkube.models.core_v1 import Container, PodSpec, ResourceRequirements
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Pod

from skerry.testing import Cluster

GPU_NODE = {"metadata": {"name": "gpu"}, "status": {"capacity": {"nvidia.com/gpu": "1"}}}


@pytest.mark.skerry_cluster(nodes=[GPU_NODE])
def test_two_pods_do_not_share_a_gpu(skerry_cluster: Cluster) -> None:
    client = Client(config=KubeConfig.from_file(str(skerry_cluster.kubeconfig)))
    wants = ResourceRequirements(limits={"nvidia.com/gpu": "1"})
    for name in ("first", "second"):
        spec = PodSpec(containers=[Container(name="main", image="train:1", resources=wants)])
        client.create(Pod(metadata=ObjectMeta(name=name), spec=spec), namespace="default")
    running = client.wait(Pod, "first", for_conditions=["Ready"], namespace="default")
    assert running.spec is not None
    assert running.spec.nodeName == "gpu"
    for _, pod in client.watch(Pod, namespace="default", fields={"metadata.name": "second"}):
        conditions = (pod.status.conditions if pod.status else None) or []
        if any(one.reason == "Unschedulable" for one in conditions):
            break
    assert "Insufficient nvidia.com/gpu" in (conditions[0].message or "")
