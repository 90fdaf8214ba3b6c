"""Tokens of a pod's service account for a driver that asks for them, made as the node."""

from __future__ import annotations

import json

import jwt

from skerry.engine.storage.mounting.pod_tokens import KEY
from skerry.engine.storage.mounting.reading import Reader
from skerry.kube.resources import CSI_DRIVERS, NODES, PODS
from tests.support.api import running_api


async def test_a_driver_gets_the_tokens_it_asks_for() -> None:
    async with running_api() as api:
        await api.client.create(NODES, {"metadata": {"name": "node"}})
        requests = [{"audience": "vault.test", "expirationSeconds": 1200}]
        spec = {"tokenRequests": requests, "volumeLifecycleModes": ["Ephemeral"]}
        for name, more in (("tokens.test", spec), ("plain.test", {})):
            await api.client.create(CSI_DRIVERS, {"metadata": {"name": name}, "spec": more})
        volumes = [{"name": "data", "csi": {"driver": "tokens.test"}}]
        containers = [{"name": "main", "image": "busybox:test"}]
        wanted = {"nodeName": "node", "containers": containers, "volumes": volumes}
        pod = await api.client.create(PODS, {"metadata": {"name": "web"}, "spec": wanted}, "default")
        reader = Reader(api.server.client("system:node:node", "system:nodes"), "node")

        manners = await reader.manners("tokens.test", None)
        given = json.loads((await reader.tokens(pod, manners))[KEY])
        assert list(given) == ["vault.test"]
        claims = jwt.decode(given["vault.test"]["token"], options={"verify_signature": False})
        assert claims["aud"] == ["vault.test"]
        assert claims["kubernetes.io"]["pod"]["name"] == "web"
        assert await reader.tokens(pod, await reader.manners("plain.test", None)) == {}
