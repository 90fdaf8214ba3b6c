"""The quota of a project on a test cluster: one number for all namespaces, and everybody hears why not."""

from __future__ import annotations

import asyncio

from skerry.kube.conditions import condition_of
from skerry.kube.errors import Forbidden
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import PODS
from skerry.platform.projects.types import PROJECTS, TIERS
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until

SPACES = ("lidar", "lidar-test", "lidar-ci")


async def test_two_hundred_creators_overshoot_by_nothing() -> None:
    async with running_platform() as running:
        await _project(running, {"pods": "30", "requests.cpu": "4"})
        answers = await asyncio.gather(
            *(_created(running.admin, _pod(f"p-{number}", SPACES[number % 3])) for number in range(200))
        )
        refused = [one for one in answers if one]
        made = [pod for space in SPACES for pod in (await running.admin.list(PODS, space)).items]
        assert (len(made), len(refused)) == (30, 170)
        assert "project lidar has not enough left: pods: asked for 1, used 30 of 30, over by 1." in refused[0]
        await until(lambda: _used(running, "pods", "30"), "told")
        await running.admin.delete(PODS, made[0]["metadata"]["name"], made[0]["metadata"]["namespace"])
        await until(lambda: _fits(running.admin, _pod("one-more", "lidar-ci")), "fits again")


async def _project(running: RunningPlatform, quota: Obj) -> None:
    tier = {"metadata": {"name": "tested"}, "spec": {"quota": quota, "podSecurity": "privileged"}}
    await running.admin.create(TIERS, {"apiVersion": TIERS.api_version, "kind": "Tier", **tier})
    project = {"metadata": {"name": "lidar"}, "spec": {"owner": "anna", "tier": "tested", "namespaces": [*SPACES]}}
    await running.admin.create(PROJECTS, {"apiVersion": PROJECTS.api_version, "kind": "Project", **project})

    async def has_all() -> bool:
        status = (await running.admin.get(PROJECTS, "lidar")).get("status") or {}
        return status.get("namespaces") == sorted(SPACES) and "quota" in status

    await until(has_all, "namespaces")


def _pod(name: str, namespace: str, cpu: str = "100m") -> Obj:
    container = {"name": "main", "image": "busybox", "resources": {"requests": {"cpu": cpu}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container]},
    }


async def _created(client: HttpClient, pod: Obj) -> str:
    """Why it was refused, or ""."""
    try:
        await client.create(PODS, pod)
    except Forbidden as error:
        return error.message
    return ""


async def _fits(client: HttpClient, pod: Obj) -> bool:
    return not await _created(client, pod)


async def _used(running: RunningPlatform, name: str, amount: str) -> bool:
    project = await running.admin.get(PROJECTS, "lidar")
    assert condition_of(project, "QuotaExceeded")
    return bool(project["status"]["quota"][name]["used"] == amount)
