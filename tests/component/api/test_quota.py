"""Quotas and limits over HTTP: what is too much is refused, whoever comes at the same time, and nothing else is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from skerry.kube.errors import Forbidden
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import load_kubeconfig
from skerry.kube.objects import Obj
from skerry.kube.resources import (
    CONFIG_MAPS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    RESOURCE_QUOTAS,
    SERVICES,
    STORAGE_CLASSES,
)
from tests.support.api import RunningApi
from tests.support.kubectl import Kubectl


def quota(**hard: str) -> Obj:
    return {"metadata": {"name": "q"}, "spec": {"hard": hard}}


def pod(name: str, **resources: Any) -> Obj:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]}}


CLASS = {"metadata": {"name": "c"}, "provisioner": "example.com/disks", "allowVolumeExpansion": True}


async def test_200_at_once_do_not_overshoot(api: RunningApi) -> None:
    await api.client.create(RESOURCE_QUOTAS, quota(**{"pods": "37", "requests.cpu": "1850m"}), "default")
    client = HttpClient(load_kubeconfig(api.kubeconfig))

    refusals: set[str] = set()

    async def create(number: int) -> bool:
        try:
            await client.create(PODS, pod(f"p{number}", requests={"cpu": "50m"}), "default")
        except Forbidden as error:
            refusals.add(error.message.partition("requested: ")[2].partition(",")[0])
            return False
        return True

    try:
        made = await asyncio.gather(*(create(number) for number in range(200)))
    finally:
        await client.close()
    assert sum(made) == 37
    assert refusals == {"pods=1"}
    assert len((await api.client.list(PODS, "default")).items) == 37


async def test_what_fails_is_not_charged_and_what_goes_is_free_again(api: RunningApi) -> None:
    await api.client.create(RESOURCE_QUOTAS, quota(configmaps="2"), "default")
    await api.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")
    for _ in range(3):
        with pytest.raises(Exception, match="already exists"):
            await api.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")
    await api.client.create(CONFIG_MAPS, {"metadata": {"name": "b"}}, "default")
    over = "exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2"
    with pytest.raises(Forbidden) as refusal:
        await api.client.create(CONFIG_MAPS, {"metadata": {"name": "c"}}, "default")
    assert refusal.value.message == f'configmaps "c" is forbidden: {over}'
    await api.client.delete(CONFIG_MAPS, "a", "default")
    await api.client.create(CONFIG_MAPS, {"metadata": {"name": "c"}}, "default")


async def test_growth_is_charged_and_the_rest_of_an_update_is_not(api: RunningApi) -> None:
    await api.client.create(RESOURCE_QUOTAS, quota(**{"requests.storage": "3Gi", "services.nodeports": "1"}), "default")

    def claim(size: str) -> Obj:
        resources = {"requests": {"storage": size}}
        spec = {"accessModes": ["ReadWriteOnce"], "resources": resources, "storageClassName": "c"}
        return {"metadata": {"name": "c"}, "spec": spec}

    await api.client.create(STORAGE_CLASSES, CLASS)
    await api.client.create(PERSISTENT_VOLUME_CLAIMS, claim("2Gi"), "default")
    await api.client.patch(
        PERSISTENT_VOLUME_CLAIMS, "c", {"status": {"phase": "Bound"}}, "default", subresource="status"
    )
    grown = {"spec": {"resources": {"requests": {"storage": "4Gi"}}}}
    over = (
        "exceeded quota: q, requested: requests.storage=2Gi, used: requests.storage=2Gi, limited: requests.storage=3Gi"
    )
    with pytest.raises(Forbidden, match=over):
        await api.client.patch(PERSISTENT_VOLUME_CLAIMS, "c", grown, "default")
    await api.client.patch(PERSISTENT_VOLUME_CLAIMS, "c", {"metadata": {"labels": {"a": "b"}}}, "default")
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    await api.client.create(SERVICES, service, "default")
    await api.client.patch(SERVICES, "s", {"spec": {"type": "NodePort"}}, "default")
    with pytest.raises(Forbidden, match=r"requested: services.nodeports=1, used: services.nodeports=1"):
        other = {"metadata": {"name": "t"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
        await api.client.create(SERVICES, other, "default")


async def test_pods_must_say_what_is_counted(api: RunningApi) -> None:
    await api.client.create(RESOURCE_QUOTAS, quota(cpu="1", **{"limits.memory": "1Gi"}), "default")
    with pytest.raises(Forbidden, match=r"failed quota: q: must specify cpu for: c; limits\.memory for: c"):
        await api.client.create(PODS, pod("p"), "default")


async def test_kubectl_shows_the_refusals(kubectl: Kubectl) -> None:
    await kubectl("create", "quota", "q", "--hard=pods=1,services=1")
    await kubectl("run", "a", "--image=i:1")
    refused = await kubectl.attempt("run", "b", "--image=i:1")
    assert refused.code == 1
    assert refused.err == (
        'Error from server (Forbidden): pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, '
        "limited: pods=1\n"
    )
    limits = """
apiVersion: v1
kind: LimitRange
metadata: {name: l}
spec: {limits: [{type: Container, max: {cpu: "1"}, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}]}
"""
    await kubectl("apply", "-f", "-", stdin=limits)
    await kubectl("delete", "pod", "a", "--now")
    await kubectl("run", "b", "--image=i:1")
    assert (await kubectl("get", "pod", "b", "-o", "jsonpath={.spec.containers[0].resources}")).out == (
        '{"limits":{"cpu":"500m"},"requests":{"cpu":"100m"}}'
    )
    too_much = '{"spec":{"containers":[{"name":"c","image":"i:1","resources":{"limits":{"cpu":"2"}}}]}}'
    await kubectl("delete", "pod", "b", "--now")
    refused = await kubectl.attempt("run", "c", "--image=i:1", f"--overrides={too_much}")
    assert "maximum cpu usage per Container is 1, but limit is 2" in refused.err
