"""Objects that benchmarks make in numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice

from skerry.kube.client import Client
from skerry.kube.objects import Obj, Resource

MANY = 5000
"""Pods in a long list."""
_AT_ONCE = 50


async def made(client: Client, resource: Resource, objects: Iterable[Obj]) -> None:
    """Create them, some at a time."""
    rest = iter(objects)
    while batch := list(islice(rest, _AT_ONCE)):
        await asyncio.gather(*(client.create(resource, obj) for obj in batch))


def waiting_pod(name: str, namespace: str) -> Obj:
    """A pod as Deployments make them, which nobody schedules before its gate is taken away."""
    return {**pod(name, namespace), "spec": {**_SPEC, "schedulingGates": [{"name": "benchmarks.skerry.dev/wait"}]}}


def pod(name: str, namespace: str) -> Obj:
    """A pod as Deployments make them."""
    metadata = {"name": name, "namespace": namespace, "labels": {"app": "bench", "pod-template-hash": "5d4f8c7b9"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _SPEC}


_SPEC: Obj = {
    "containers": [
        {
            "name": "main",
            "image": "registry.example/bench:1.0",
            "ports": [{"containerPort": 8080, "name": "http"}],
            "env": [{"name": "MODE", "value": "production"}],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        }
    ]
}
