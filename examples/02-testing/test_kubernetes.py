"""The official client, `kubernetes`."""

import pytest
from kubernetes import client, config, watch

from skerry.testing import Cluster


@pytest.mark.skerry_cluster(nodes=2)
def test_deployment_gets_its_pods(skerry_cluster: Cluster) -> None:
    with config.new_client_from_config(str(skerry_cluster.kubeconfig)) as api:
        container = {"name": "web", "image": "web:1"}
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
        apps = client.AppsV1Api(api)
        apps.create_namespaced_deployment("default", {"metadata": {"name": "web"}, "spec": spec})
        for event in watch.Watch().stream(apps.list_namespaced_deployment, "default", timeout_seconds=10):
            if event["object"].status.available_replicas == 3:
                break
        pods = client.CoreV1Api(api).list_namespaced_pod("default", label_selector="app=web").items
        assert len(pods) == 3
        assert {pod.spec.node_name for pod in pods} == {"node-1", "node-2"}
