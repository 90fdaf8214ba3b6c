"""`/runningpods/`: what the runtime runs, as pods of which only this is known. Pure. Source: `pkg/kubelet/server`."""

from __future__ import annotations

from skerry.engine.node.access.reports.facts import NodeFacts, PodFacts
from skerry.kube.objects import Obj


def running_pods(facts: NodeFacts) -> Obj:
    """A PodList."""
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [_pod(one) for one in facts.pods]}


def _pod(pod: PodFacts) -> Obj:
    containers = [{"name": one.name, "image": one.image, "resources": {}} for one in pod.containers]
    metadata = {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid}
    return {"metadata": metadata, "spec": {"containers": containers}, "status": {}}
