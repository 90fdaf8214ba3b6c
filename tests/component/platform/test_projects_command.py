"""`skerry projects`, `members` and `tiers` as operators, owners and others run them."""

from __future__ import annotations

import json
from pathlib import Path

from skerry.kube.conditions import condition_of
from skerry.kube.http_client import HttpClient
from skerry.kube.records import record
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.projects.types import PROJECTS
from tests.support.cli import account_kubeconfig, cells, run
from tests.support.platform import running_platform
from tests.support.waiting import until


@record
class Here:
    """Kubeconfigs of three people, and the names of two."""

    admin: HttpClient
    operator: Path
    anna: str
    hers: Path
    ben: str
    bens: Path


async def test_projects_on_the_command_line(tmp_path: Path) -> None:
    async with running_platform() as running:
        anna, hers = await account_kubeconfig(running.cluster, running.admin, tmp_path, "anna")
        ben, bens = await account_kubeconfig(running.cluster, running.admin, tmp_path, "ben")
        here = Here(running.admin, running.cluster.kubeconfig, anna, hers, ben, bens)
        await _projects_are_made(here)
        await _owners_change_members(here)
        await _tiers_are_seen(here)
        await _projects_last_longer_and_sleep(here)
        await _projects_end(here)


async def _projects_are_made(here: Here) -> None:
    made = await run(here.operator, "projects", "create", "lidar", "--owner", here.anna, "--description", "maps")
    assert made.output == "lidar is ready: lidar\n"
    failed = await run(here.operator, "projects", "create", "late", "--owner", here.anna, "--tier", "gold", code=1)
    assert "project late is made, but is not ready: there is no tier gold" in failed.output
    again = await run(here.operator, "projects", "create", "lidar", "--owner", here.anna, code=1)
    assert "there is a project lidar already" in again.output
    for words in (("projects", "show"), ("members", "ls"), ("usage",)):
        unknown = await run(here.operator, *words, "nope", code=1)
        assert "there is no project nope here: `skerry projects ls`" in unknown.output
    invalid = await run(here.operator, "projects", "create", "kube-x", "--owner", here.anna, code=1)
    assert "are names of the cluster itself" in invalid.output
    assert (
        "cannot create resource"
        in (await run(here.hers, "projects", "create", "x", "--owner", here.anna, code=1)).output
    )

    assert [row[0] for row in cells((await run(here.operator, "projects", "ls")).output)] == ["late", "lidar"]
    assert "you are in no project" in (await run(here.bens, "projects", "ls")).output


async def _owners_change_members(here: Here) -> None:
    assert "is no member" in (await run(here.hers, "members", "remove", "lidar", here.ben, code=1)).output
    await run(here.hers, "members", "add", "lidar", here.ben)
    await run(here.hers, "members", "add", "lidar", "crew", "--group", "--role", "editor")
    await run(here.hers, "members", "add", "lidar", here.ben, "--role", "editor")
    listed = (await run(here.hers, "members", "ls", "lidar")).output
    assert cells(listed) == [["user", here.anna, "owner"], ["group", "crew", "editor"], ["user", here.ben, "editor"]]

    async def ben_sees_it() -> bool:
        shown = json.loads((await run(here.bens, "projects", "ls", "-o", "json")).output)["projects"]
        return [one["metadata"]["name"] for one in shown] == ["lidar"]

    await until(ben_sees_it)
    assert "cannot" in (await run(here.bens, "members", "add", "lidar", "eve", code=1)).output
    shown = (await run(here.bens, "projects", "show", "lidar")).output
    assert f"group crew (editor), {here.ben} (editor)" in shown
    assert "True, Ready: its namespaces can be used" in shown

    await run(here.hers, "members", "remove", "lidar", here.ben)

    async def ben_sees_nothing() -> bool:
        return "you are in no project" in (await run(here.bens, "projects", "ls")).output

    await until(ben_sees_nothing)


async def _tiers_are_seen(here: Here) -> None:
    (free, _) = cells((await run(here.hers, "tiers", "ls")).output)
    assert free[:7] == ["free", "2", "4Gi", "10Gi", "500", "90", "Automatic"]
    assert "podSecurity: restricted" in (await run(here.hers, "tiers", "show", "free")).output


async def _projects_last_longer_and_sleep(here: Here) -> None:
    assert "cpuHours 700" in (await run(here.operator, "projects", "top-up", "lidar", "--cpu-hours", "200")).output

    async def has_an_end() -> bool:
        return bool((await here.admin.get(PROJECTS, "lidar"))["status"].get("expires"))

    await until(has_an_end)
    assert "lidar ends on 20" in (await run(here.operator, "projects", "extend", "lidar", "--days", "30")).output
    assert (
        "only operators change spec.expires"
        in (await run(here.hers, "projects", "extend", "lidar", "--days", "9", code=1)).output
    )

    async def phase() -> str:
        return str((await here.admin.get(PROJECTS, "lidar"))["status"].get("phase"))

    async def sleeps() -> bool:
        return await phase() == "Hibernated"

    async def is_awake() -> bool:
        return await phase() == "Active"

    await run(here.hers, "projects", "hibernate", "lidar")
    await until(sleeps)
    await run(here.hers, "projects", "wake", "lidar")
    await until(is_awake)


async def _projects_end(here: Here) -> None:
    kept = await run(here.operator, "projects", "delete", "lidar", code=1)
    assert "lidar would go with everything in lidar: give --yes if that is meant" in kept.output
    await here.admin.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "lidar")
    assert "is being deleted, with lidar" in (await run(here.operator, "projects", "delete", "lidar", "--yes")).output

    async def is_gone() -> bool:
        return [row[0] for row in cells((await run(here.operator, "projects", "ls")).output)] == ["late"]

    await until(is_gone)
    late = condition_of(await here.admin.get(PROJECTS, "late"), "Ready")
    assert late is not None
    assert late["reason"] == "TierMissing"
