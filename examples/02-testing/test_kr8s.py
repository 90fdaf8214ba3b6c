"""kr8s: a pod that is not ready, as an application would see it."""

import kr8s
from kr8s.objects import Pod

from skerry.testing import Cluster


def test_pod_that_does_not_get_ready(skerry_cluster: Cluster) -> None:
    api = kr8s.api(kubeconfig=str(skerry_cluster.kubeconfig))
    annotations = {"testing.skerry.dev/ready": "false"}
    spec = {"containers": [{"name": "main", "image": "slow:1"}]}
    pod = Pod({"metadata": {"name": "slow", "annotations": annotations}, "spec": spec}, api=api)
    pod.create()
    pod.wait("jsonpath='{.status.phase}'=Running", timeout=10)
    assert not pod.ready()
    pod.annotate({"testing.skerry.dev/ready": "true"})
    pod.wait("condition=Ready", timeout=10)
