"""Usage on a test cluster: what projects used is counted, once, by whom, and told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from datetime import timedelta

import aiohttp
import orjson
import pytest
from click.testing import CliRunner

from skerry.cli.errors import CommandFailed
from skerry.cli.main import main
from skerry.cli.usage.reading import read_report
from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj, annotations_of, name_of
from skerry.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    DEPLOYMENTS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    ROLE_BINDINGS,
    SERVICE_ACCOUNTS,
    STATEFUL_SETS,
)
from skerry.platform.usage.amounts import Amounts, Who, together
from skerry.platform.usage.projects import PROJECTS
from skerry.platform.usage.types import USAGE_DAYS, USAGE_REPORTS, USER_ANNOTATION, UsageDayStatus, tally_of
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
    """Returns when the platform knows."""
    await running.as_user(user, "system:masters").create(PODS, obj, namespace)
    seen = running.platform.contexts["usage"].informers.of(PODS)
    await until(lambda: seen.get(obj["metadata"]["name"], namespace)["status"]["startTime"], "runs")  # type: ignore[index]


async def delete(running: RunningPlatform, name: str) -> None:
    """Returns when the platform knows."""
    await running.admin.delete(PODS, name, "lidar", {"gracePeriodSeconds": 0})
    seen = running.platform.contexts["usage"].informers.of(PODS)
    await until(lambda: seen.get(name, "lidar") is None, "deleted")


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
        await delete(running, "one")
        clock.advance(_HOUR)  # counted is what has settled

        async def is_counted() -> bool:
            return await hours(running, "lidar") > 3.99

        await until(is_counted, "counted")
        counted = await tally(running)
        assert counted[("lidar", ANNA)][:2] == (500 * 2 * _HOUR, 512 * 2 * _HOUR)
        assert counted[("lidar", BEN)][:2] == (1000 * (3 * _HOUR - 2), 512 * (3 * _HOUR - 2))


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


async def test_members_read_reports_and_operators_the_ledger() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running:
        await make_project(running, "lidar", owner=ANNA)
        await begins(running, pod("one", "2"), "lidar")
        clock.advance(8 * 24 * _HOUR)
        await delete(running, "one")
        clock.advance(10)  # counted is what has settled

        async def is_reported() -> bool:
            reports = (await running.admin.list(USAGE_REPORTS, "lidar")).items
            totals = {name_of(one).partition("-")[0]: (one.get("status") or {}).get("total") for one in reports}
            return totals["recent"]["cpuHours"] == 384 and totals["week"]["cpuHours"] > 0

        await until(is_reported, "reported")
        await _can_be_read_by_whom(running)
        last = (clock.now() + timedelta(days=1)).date()
        options = ["--kubeconfig", str(running.cluster.kubeconfig), "--from", "2026-01-01", "--to", str(last)]
        shown = orjson.loads(await _skerry("usage", *options, "-o", "json"))
        assert shown["usage"] == [{"project": "lidar", **shown["total"]}]
        assert (shown["total"]["cpuHours"], shown["total"]["memoryGibHours"]) == (384, 96)
        shown_by_user = await _skerry("usage", "lidar", *options, "--by", "user", "-o", "csv")
        assert shown_by_user.splitlines()[1].startswith(f"{ANNA},384.0,")
        days = (await _skerry("usage", "lidar", *options)).splitlines()
        assert days[0].startswith("DAY")
        assert days[-1].split()[:2] == ["total", "384.00"]
        records = await _skerry("usage", *options, "-o", "egi", "--site", "EXAMPLE-SITE")
        assert records.count("LocalGroupId: lidar\n") == len(days) - 2


async def _skerry(*arguments: str) -> str:
    """Runs where no event loop does."""
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
    assert result.exit_code == 0, result.output
    return result.output


async def _can_be_read_by_whom(running: RunningPlatform) -> None:
    viewer = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": BEN}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    binding = {"metadata": {"name": "ben"}, "subjects": [viewer], "roleRef": role}
    await running.admin.create(ROLE_BINDINGS, binding, "lidar")
    ben = running.as_user(BEN)

    async def reads() -> bool:
        return bool((await ben.list(USAGE_REPORTS, "lidar")).items)

    async def may() -> bool:
        with contextlib.suppress(Forbidden):
            return await reads()
        return False

    await until(may, "the role is known")
    with pytest.raises(Forbidden):
        await ben.list(USAGE_DAYS)
    with pytest.raises(Forbidden):
        await ben.delete(USAGE_REPORTS, "recent", "lidar")
    report = await read_report(ben, "lidar")
    assert report["users"][0]["name"] == ANNA
    with pytest.raises(CommandFailed, match="you may not see what project lidar used: its owner can make you a member"):
        await read_report(running.as_user("eve"), "lidar")


async def test_metrics_are_for_who_may_get_them() -> None:
    async with running_platform() as running:
        await make_project(running, "lidar")

        async def has_a_budget() -> bool:
            return bool((await running.admin.get(PROJECTS, "lidar"))["status"]["budgets"])

        await until(has_a_budget, "budget")
        account = {"metadata": {"name": "prometheus"}}
        await running.admin.create(SERVICE_ACCOUNTS, account, "default")
        request = await running.admin.create(SERVICE_ACCOUNTS, {**account, "spec": {}}, "default", "token")
        token = request["status"]["token"]
        assert await _metrics(running, "") == (
            401,
            "/usage/metrics wants a bearer token that the cluster knows, such as a service account's\n",
        )
        assert await _metrics(running, f"{token}x") == (
            401,
            "the cluster does not know this token, or it has expired\n",
        )
        assert await _metrics(running, token) == (
            403,
            "system:serviceaccount:default:prometheus may not get /usage/metrics: "
            "an administrator can bind ClusterRole skerry:usage:metrics to it\n",
        )
        subject = {"kind": "ServiceAccount", "name": "prometheus", "namespace": "default"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "skerry:usage:metrics"}
        binding = {"metadata": {"name": "prometheus"}, "subjects": [subject], "roleRef": role}
        await running.admin.create(CLUSTER_ROLE_BINDINGS, binding)

        async def is_told() -> str:
            code, text = await _metrics(running, token)
            return text if code == 200 else ""

        text = await until(is_told, "metrics")
        assert 'project_budget_used_percent{project="lidar",budget="cpuHours"} 0' in text.splitlines()


async def _metrics(running: RunningPlatform, token: str) -> tuple[int, str]:
    trusted = ssl.create_default_context(cadata=running.platform.ca.decode())
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{running.platform.url}/usage/metrics", headers=headers, ssl=trusted) as answer,
    ):
        return answer.status, await answer.text()
