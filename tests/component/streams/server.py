"""The API server with one pod whose node is this very machine (`local_pods`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from skerry.kube.objects import Obj
from skerry.kube.resources import NODES, PODS
from tests.component.streams.local_pods import LocalPods
from tests.support.api import RunningApi, running_api

_NODE: Obj = {"metadata": {"name": "node"}, "status": {"allocatable": {"cpu": "2", "memory": "1Gi"}}}
_POD: Obj = {
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
    "spec": {"nodeName": "node", "containers": [{"name": "main", "image": "none", "stdin": True}]},
}
_RUNNING: Obj = {
    "phase": "Running",
    "containerStatuses": [
        {"name": "main", "ready": True, "image": "none", "imageID": "", "restartCount": 0, "state": {"running": {}}}
    ],
}


@asynccontextmanager
async def serving(pods: LocalPods, *, settings: Mapping[str, Any] = MappingProxyType({})) -> AsyncIterator[RunningApi]:
    """The server on a free port, the pod `web` running. `settings`: fields of its configuration."""
    async with running_api(pod_access=pods, settings=settings) as api:
        await api.client.create(NODES, _NODE)
        await api.client.create(PODS, _POD)
        await api.client.patch(PODS, "web", {"status": _RUNNING}, "default", subresource="status")
        yield api
