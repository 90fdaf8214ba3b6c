"""The quota of a project on a test cluster: one number for all namespaces, and everybody hears why not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from skerry.kube.client import Client
from skerry.kube.conditions import condition_is_true, condition_of
from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj, Resource, name_of, namespace_of
from skerry.kube.resources import DEPLOYMENTS, EVENTS, JOBS, PERSISTENT_VOLUME_CLAIMS, PODS, SERVICES
from skerry.platform.projects.types import PROJECTS, TIERS
from tests.support.platform import RunningPlatform, running_on, running_platform
from tests.support.waiting import until

SPACES = ("lidar", "lidar-ci", "lidar-test")


async def test_two_hundred_creators_overshoot_by_nothing() -> None:
    async with running_platform() as running:
        await _project(running, {"pods": "30", "requests.cpu": "4"})
        answers = await asyncio.gather(
            *(_refused(running.admin.create(PODS, _pod(f"p-{number}", SPACES[number % 3]))) for number in range(200))
        )
        made = [pod for space in SPACES for pod in (await running.admin.list(PODS, space)).items]
        refused = [one for one in answers if one]
        assert (len(made), len(refused)) == (30, 170)
        assert "project lidar has not enough left: pods: asked for 1, used 30 of 30, over by 1." in refused[0]
        assert "pods is used by namespaces lidar" in refused[0]
        await until(lambda: _is_used(running, "pods", "30"), "told")
        await running.admin.delete(PODS, name_of(made[0]), namespace_of(made[0]))
        await until(lambda: _fits(running.admin, _pod("one-more", "lidar-ci")), "room again")
        await _after_a_restart_all_is_counted(running)


async def _after_a_restart_all_is_counted(running: RunningPlatform) -> None:
    """Another one on the same cluster takes over admission."""
    async with running_on(running.cluster):
        assert "used 30 of 30" in await _refused(running.admin.create(PODS, _pod("too-many", "lidar")))


async def test_every_way_to_use_more_is_asked_about_and_controllers_are_heard() -> None:
    async with running_platform() as running:
        quota = {"pods": "4", "requests.cpu": "2", "requests.storage": "5Gi", "services.loadbalancers": "0"}
        await _project(running, {**quota, "count/deployments.apps": "1", "secrets": "50"}, {"cpuHours": 10})
        await _is_held_but_for_secrets(running)
        await _claims(running.admin)
        await _services(running.admin)
        await _jobs(running.admin)
        await _controllers(running)


async def _is_held_but_for_secrets(running: RunningPlatform) -> None:
    condition = condition_of(await running.admin.get(PROJECTS, "lidar"), "QuotaHeld")
    assert condition
    assert condition["message"] == "held in each namespace alone, not as one number: secrets"


async def _claims(client: Client) -> None:
    """Those of two namespaces together; and those that grow."""
    await client.create(PERSISTENT_VOLUME_CLAIMS, _claim("data", "lidar", "3Gi"))
    answer = await _refused(client.create(PERSISTENT_VOLUME_CLAIMS, _claim("more", "lidar-ci", "3Gi")))
    assert "requests.storage: asked for 3Gi, used 3Gi of 5Gi, over by 1Gi." in answer
    assert "skerry requests create quota lidar --set requests.storage=6Gi" in answer
    user = {**_pod("user", "lidar"), "spec": {**_pod("user", "lidar")["spec"], "volumes": [_CLAIMED]}}
    await client.create(PODS, user)

    async def is_bound() -> bool:
        claim = await client.get(PERSISTENT_VOLUME_CLAIMS, "data", "lidar")
        return bool(claim["status"]["phase"] == "Bound")

    await until(is_bound, "bound")
    answer = await _refused(client.patch(PERSISTENT_VOLUME_CLAIMS, "data", _storage("6Gi"), "lidar"))
    assert "requests.storage: asked for 3Gi, used 3Gi of 5Gi, over by 1Gi." in answer
    await client.patch(PERSISTENT_VOLUME_CLAIMS, "data", _storage("5Gi"), "lidar")
    await _resize(client)
    await client.delete(PODS, "user", "lidar")


async def _resize(client: Client) -> None:
    def to(cpu: str) -> Awaitable[Obj]:
        container = {"name": "main", "resources": {"requests": {"cpu": cpu}}}
        patch = {"spec": {"containers": [container]}}
        return client.patch(PODS, "user", patch, "lidar", kind="strategic", subresource="resize")

    assert "requests.cpu: asked for 2900m, used 100m of 2, over by 1" in await _refused(to("3"))
    await to("200m")


async def _services(client: Client) -> None:
    answer = await _refused(client.create(SERVICES, _service("LoadBalancer")))
    assert "services.loadbalancers: asked for 1, used 0 of 0, over by 1." in answer
    await client.create(SERVICES, _service("ClusterIP"))
    answer = await _refused(client.patch(SERVICES, "web", {"spec": {"type": "LoadBalancer"}}, "lidar"))
    assert "services.loadbalancers: asked for 1, used 0 of 0, over by 1." in answer


async def _jobs(client: Client) -> None:
    template = {"spec": {**_pod("x", "lidar", "1")["spec"], "restartPolicy": "Never"}}
    spec = {"activeDeadlineSeconds": 11 * 3600, "template": template}
    job = {"metadata": {"name": "train", "namespace": "lidar"}, "spec": spec}
    answer = await _refused(client.create(JOBS, {"apiVersion": "batch/v1", "kind": "Job", **job}))
    assert "up to 11 cpu-hours, left 10 of 10. Give it a shorter activeDeadlineSeconds" in answer


async def _controllers(running: RunningPlatform) -> None:
    """What a ReplicaSet is refused stands on it and on the project, until it fits."""
    client = running.admin
    await client.create(DEPLOYMENTS, _deployment("web", "lidar-ci"))
    answer = await _refused(client.create(DEPLOYMENTS, _deployment("web", "lidar-test")))
    assert "count/deployments.apps: asked for 1, used 1 of 1, over by 1." in answer
    await until(lambda: _is_exceeded(client, wanted=True), "a condition")
    condition = condition_of(await client.get(PROJECTS, "lidar"), "QuotaExceeded")
    assert condition
    assert condition["message"].startswith("a Pod of ReplicaSet lidar-ci/web-")
    assert "requests.cpu: asked for 1, used 2 of 2, over by 1." in condition["message"]
    await until(lambda: _has_event(client, "lidar-ci", "ReplicaSet"), "an event on the ReplicaSet")
    await until(lambda: _has_event(client, "default", "Project"), "an event on the project")
    more = {"spec": {"overrides": {"quota": {"requests.cpu": "3"}}}}
    await client.patch(PROJECTS, "lidar", more)
    await until(lambda: _is_exceeded(client, wanted=False), "no condition")


async def _project(running: RunningPlatform, quota: Obj, budgets: Obj | None = None) -> None:
    spec = {"quota": quota, "budgets": budgets or {}, "podSecurity": "privileged"}
    tier = {"apiVersion": TIERS.api_version, "kind": "Tier", "metadata": {"name": "tested"}, "spec": spec}
    await running.admin.create(TIERS, tier)
    project = {"metadata": {"name": "lidar"}, "spec": {"owner": "anna", "tier": "tested", "namespaces": [*SPACES]}}
    await running.admin.create(PROJECTS, {"apiVersion": PROJECTS.api_version, "kind": "Project", **project})

    async def has_all() -> bool:
        status = (await running.admin.get(PROJECTS, "lidar")).get("status") or {}
        return status.get("namespaces") == [*SPACES] and bool(status.get("quota"))

    await until(has_all, "namespaces")


_CLAIMED: Obj = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}


def _pod(name: str, namespace: str, cpu: str = "100m") -> Obj:
    container = {"name": "main", "image": "busybox", "resources": {"requests": {"cpu": cpu}}}
    return _of(PODS, name, namespace, {"containers": [container]})


def _claim(name: str, namespace: str, size: str) -> Obj:
    return _of(PERSISTENT_VOLUME_CLAIMS, name, namespace, {"accessModes": ["ReadWriteOnce"], **_storage(size)["spec"]})


def _storage(size: str) -> Obj:
    return {"spec": {"resources": {"requests": {"storage": size}}}}


def _service(kind: str) -> Obj:
    return _of(SERVICES, "web", "lidar", {"type": kind, "ports": [{"port": 80}]})


def _deployment(name: str, namespace: str) -> Obj:
    template = {"metadata": {"labels": {"app": name}}, "spec": _pod("x", namespace, "1")["spec"]}
    return _of(DEPLOYMENTS, name, namespace, {
        "replicas": 3, "selector": {"matchLabels": {"app": name}}, "template": template
    })  # fmt: skip


def _of(resource: Resource, name: str, namespace: str, spec: Obj) -> Obj:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": spec}


async def _refused(asking: Awaitable[Obj]) -> str:
    """Why, or "" when it was done."""
    try:
        await asking
    except Forbidden as error:
        return error.message
    return ""


async def _fits(client: Client, pod: Obj) -> bool:
    return not await _refused(client.create(PODS, pod))


async def _is_used(running: RunningPlatform, name: str, amount: str) -> bool:
    project = await running.admin.get(PROJECTS, "lidar")
    return bool(project["status"]["quota"][name]["used"] == amount)


async def _is_exceeded(client: Client, *, wanted: bool) -> bool:
    return condition_is_true(await client.get(PROJECTS, "lidar"), "QuotaExceeded") == wanted


async def _has_event(client: Client, namespace: str, kind: str) -> bool:
    events = (await client.list(EVENTS, namespace)).items
    return any(one["reason"] == "QuotaExceeded" and one["involvedObject"]["kind"] == kind for one in events)
