"""`skerry projects`, `members` and `tiers` as operators, owners and others run them."""

from __future__ import annotations

import json
from pathlib import Path

from skerry.kube.conditions import condition_of
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.projects.types import PROJECTS
from tests.support.cli import account_kubeconfig, cells, run
from tests.support.platform import running_platform
from tests.support.waiting import until


async def test_projects_on_the_command_line(tmp_path: Path) -> None:
    async with running_platform() as running:
        admin, operator = running.admin, running.cluster.kubeconfig
        anna, hers = await account_kubeconfig(running.cluster, admin, tmp_path, "anna")
        ben, bens = await account_kubeconfig(running.cluster, admin, tmp_path, "ben")

        made = await run(operator, "projects", "create", "lidar", "--owner", anna, "--description", "maps")
        assert made.output == "lidar is ready: lidar\n"
        failed = await run(operator, "projects", "create", "late", "--owner", anna, "--tier", "gold", code=1)
        assert "project late is made, but is not ready: there is no tier gold" in failed.output
        invalid = await run(operator, "projects", "create", "kube-x", "--owner", anna, code=1)
        assert "are names of the cluster itself" in invalid.output
        assert "cannot create resource" in (await run(hers, "projects", "create", "x", "--owner", anna, code=1)).output

        assert [row[0] for row in cells((await run(operator, "projects", "ls")).output)] == ["late", "lidar"]
        assert "you are in no project" in (await run(bens, "projects", "ls")).output
        assert "is no member" in (await run(hers, "members", "remove", "lidar", ben, code=1)).output
        await run(hers, "members", "add", "lidar", ben)
        await run(hers, "members", "add", "lidar", "crew", "--group", "--role", "editor")
        await run(hers, "members", "add", "lidar", ben, "--role", "editor")
        listed = (await run(hers, "members", "ls", "lidar")).output
        assert cells(listed) == [["user", anna, "owner"], ["group", "crew", "editor"], ["user", ben, "editor"]]

        async def ben_sees_it() -> bool:
            shown = json.loads((await run(bens, "projects", "ls", "-o", "json")).output)["projects"]
            return [one["metadata"]["name"] for one in shown] == ["lidar"]

        await until(ben_sees_it)
        assert "cannot" in (await run(bens, "members", "add", "lidar", "eve", code=1)).output
        shown = (await run(bens, "projects", "show", "lidar")).output
        assert f"group crew (editor), {ben} (editor)" in shown
        assert "True, Ready: its namespaces can be used" in shown

        await run(hers, "members", "remove", "lidar", ben)

        async def ben_sees_nothing() -> bool:
            return "you are in no project" in (await run(bens, "projects", "ls")).output

        await until(ben_sees_nothing)
        (free, _) = cells((await run(hers, "tiers", "ls")).output)
        assert free[:7] == ["free", "2", "4Gi", "10Gi", "500", "90", "Automatic"]
        assert "podSecurity: restricted" in (await run(hers, "tiers", "show", "free")).output

        assert "cpuHours 700" in (await run(operator, "projects", "top-up", "lidar", "--cpu-hours", "200")).output

        async def has_an_end() -> bool:
            return bool((await admin.get(PROJECTS, "lidar"))["status"].get("expires"))

        await until(has_an_end)
        assert "lidar ends on 20" in (await run(operator, "projects", "extend", "lidar", "--days", "30")).output
        assert (
            "only operators change spec.expires"
            in (await run(hers, "projects", "extend", "lidar", "--days", "9", code=1)).output
        )

        async def phase() -> str:
            return str((await admin.get(PROJECTS, "lidar"))["status"].get("phase"))

        async def sleeps() -> bool:
            return await phase() == "Hibernated"

        async def is_awake() -> bool:
            return await phase() == "Active"

        await run(hers, "projects", "hibernate", "lidar")
        await until(sleeps)
        await run(hers, "projects", "wake", "lidar")
        await until(is_awake)

        kept = await run(operator, "projects", "delete", "lidar", code=1)
        assert "lidar would go with everything in lidar: give --yes if that is meant" in kept.output
        await admin.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "lidar")
        assert "is being deleted, with lidar" in (await run(operator, "projects", "delete", "lidar", "--yes")).output

        async def is_gone() -> bool:
            return [row[0] for row in cells((await run(operator, "projects", "ls")).output)] == ["late"]

        await until(is_gone)
        late = condition_of(await admin.get(PROJECTS, "late"), "Ready")
        assert late is not None
        assert late["reason"] == "TierMissing"
