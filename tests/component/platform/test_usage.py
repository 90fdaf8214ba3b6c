"""Usage on a test cluster: what projects used is counted, once, by whom, and told."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.objects import Obj, annotations_of, name_of
from skerry.kube.resources import DEPLOYMENTS, NAMESPACES, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS
from skerry.platform.usage.amounts import Amounts, Who, together
from skerry.platform.usage.projects import PROJECTS
from skerry.platform.usage.types import USAGE_DAYS, USER_ANNOTATION, UsageDayStatus, tally_of
from tests.support.clock import SetClock
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until

ANNA, BEN = "anna@uni.example", "ben@institute.example"
_HOUR = 3600


def project(name: str, **spec: object) -> Obj:
    whole = {"owner": "anna", "namespaces": [name], **spec}
    return {"apiVersion": PROJECTS.api_version, "kind": "Project", "metadata": {"name": name}, "spec": whole}


def pod_spec(cpu: str) -> Obj:
    resources = {"requests": {"cpu": cpu, "memory": "512Mi"}, "limits": {"cpu": cpu, "memory": "512Mi"}}
    security = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    main = {"name": "main", "image": "busybox", "resources": resources, "securityContext": security}
    return {"containers": [main]}


def pod(name: str, cpu: str = "500m", **metadata: object) -> Obj:
    return {"metadata": {"name": name, **metadata}, "spec": pod_spec(cpu)}


async def make_project(running: RunningPlatform, name: str, **spec: object) -> None:
    """Returns when its namespace can be used."""
    await running.admin.create(PROJECTS, project(name, **spec))

    async def is_there() -> bool:
        return name in {name_of(one) for one in (await running.admin.list(NAMESPACES)).items}

    await until(is_there, f"namespace {name}")


async def begins(running: RunningPlatform, obj: Obj, namespace: str, user: str = ANNA) -> None:
    await running.as_user(user, "system:masters").create(PODS, obj, namespace)

    async def runs() -> bool:
        found = await running.admin.get(PODS, obj["metadata"]["name"], namespace)
        return bool(found["status"].get("startTime"))

    await until(runs, "runs")


async def hours(running: RunningPlatform, name: str) -> float:
    status: Obj = (await running.admin.get(PROJECTS, name)).get("status") or {}
    return float(((status.get("budgets") or {}).get("cpuHours") or {}).get("used") or 0)


async def tally(running: RunningPlatform) -> Mapping[Who, Amounts]:
    """Of all days together."""
    days = (await running.admin.list(USAGE_DAYS)).items
    return together(*(tally_of(UsageDayStatus.of(one.get("status"))) for one in days))


async def test_what_is_requested_while_it_runs_is_counted_by_namespace_and_user() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running:
        await make_project(running, "lidar")
        await begins(running, pod("one"), "lidar")
        await begins(running, pod("two", "1"), "lidar", BEN)
        clock.advance(2 * _HOUR)
        await running.admin.delete(PODS, "one", "lidar", {"gracePeriodSeconds": 0})

        async def is_counted() -> bool:
            return await hours(running, "lidar") == 3

        await until(is_counted, "counted")
        counted = await tally(running)
        assert counted[("lidar", ANNA)][:2] == (500 * 2 * _HOUR, 512 * 2 * _HOUR)
        assert counted[("lidar", BEN)][:2] == (1000 * 2 * _HOUR, 512 * 2 * _HOUR)


async def test_what_controllers_make_belongs_to_whose_the_owner_is() -> None:
    async with running_platform() as running:
        await make_project(running, "lidar")
        anna = running.as_user(ANNA, "system:masters")
        template = {"metadata": {"labels": {"app": "web"}, "annotations": {USER_ANNOTATION: BEN}}}
        spec = {"selector": {"matchLabels": {"app": "web"}}, "template": {**template, "spec": pod_spec("100m")}}
        await anna.create(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": spec}, "lidar")
        claims = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        templates = [{"metadata": {"name": "data"}, "spec": claims}]
        stateful = {**spec, "serviceName": "db", "volumeClaimTemplates": templates}
        await anna.create(STATEFUL_SETS, {"metadata": {"name": "my-db"}, "spec": stateful}, "lidar")

        async def made() -> list[Obj]:
            pods = (await running.admin.list(PODS, "lidar")).items
            return pods if len(pods) == 2 else []

        pods = await until(made, "pods")
        assert [annotations_of(one)[USER_ANNOTATION] for one in pods] == [ANNA, ANNA]
        claim = await running.admin.get(PERSISTENT_VOLUME_CLAIMS, "data-my-db-0", "lidar")
        assert annotations_of(claim)[USER_ANNOTATION] == ANNA
        await _cannot_be_changed(running)


async def _cannot_be_changed(running: RunningPlatform) -> None:
    patch = {"metadata": {"annotations": {USER_ANNOTATION: BEN, "note": "kept"}}}
    changed = await running.as_user(BEN, "system:masters").patch(DEPLOYMENTS, "web", patch, "lidar")
    assert annotations_of(changed) == {**annotations_of(changed), USER_ANNOTATION: ANNA, "note": "kept"}
    patch = {"metadata": {"annotations": {USER_ANNOTATION: None}}}
    changed = await running.as_user(BEN, "system:masters").patch(DEPLOYMENTS, "web", patch, "lidar")
    assert annotations_of(changed)[USER_ANNOTATION] == ANNA
    program = running.admin.acting_as("system:serviceaccount:lidar:hub", ["system:masters"])
    made = await program.create(PODS, pod("session"), "lidar")
    assert annotations_of(made)[USER_ANNOTATION] == "system:serviceaccount:lidar:hub"
