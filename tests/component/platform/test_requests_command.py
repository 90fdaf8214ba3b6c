"""`skerry requests` as a researcher and as an operator run it."""

from __future__ import annotations

import json
from pathlib import Path

from skerry.kube.conditions import conditions_of
from skerry.platform.projects.types import PROJECT_REQUESTS, PROJECTS
from tests.support.cli import account_kubeconfig, cells, run
from tests.support.platform import running_platform
from tests.support.waiting import until


async def test_a_researcher_asks_and_an_operator_decides(tmp_path: Path) -> None:
    async with running_platform() as running:
        admin, operator = running.admin, running.cluster.kubeconfig
        anna, hers = await account_kubeconfig(running.cluster, admin, tmp_path, "anna")
        _, bens = await account_kubeconfig(running.cluster, admin, tmp_path, "ben")

        assert "no requests" in (await run(hers, "requests", "ls")).output
        asked = (await run(hers, "requests", "create", "project", "lidar", "--reason", "maps")).output
        first = asked.split()[1]

        async def phases() -> dict[str, str]:
            return {row[0]: row[-1] for row in cells((await run(hers, "requests", "ls")).output)}

        async def is_made() -> bool:
            return await phases() == {first: "Approved"}

        await until(is_made, "a first free project needs nobody's decision")
        assert (await admin.get(PROJECTS, "lidar"))["spec"]["owner"] == anna

        words = ("requests", "create", "quota", "lidar", "--set", "requests.cpu=8", "--cpu-hours", "900")
        refused = await run(bens, *words, code=1)
        assert "owns no project lidar: its owners ask for more" in refused.output
        second = (await run(hers, *words, "--reason", "a campaign")).output.split()[1]

        async def is_seen() -> bool:
            found = (await admin.list(PROJECT_REQUESTS)).items
            return all(conditions_of(one) for one in found) and len(await phases()) == 2

        await until(is_seen, "she sees both")
        (row,) = [one for one in cells((await run(operator, "requests", "ls")).output) if one[0] == second]
        assert row[1:3] == ["Quota", "lidar"]
        assert "requests.cpu=8, cpuHours=900 a campaign" in " ".join(row), "who decides reads why"
        assert "no requests" in (await run(bens, "requests", "ls")).output, "others' are nobody's business"

        assert "cannot patch" in (await run(hers, "requests", "approve", second, code=1)).output
        assert "--answer" in (await run(operator, "requests", "deny", second, code=2)).output
        await run(operator, "requests", "approve", second, "--answer", "until June")

        async def is_granted() -> bool:
            found = json.loads((await run(hers, "requests", "ls", "-o", "json")).output)
            return [one.get("status", {}).get("phase") for one in found if one["metadata"]["name"] == second] == [
                "Approved"
            ]

        await until(is_granted)
        overrides = (await admin.get(PROJECTS, "lidar"))["spec"]["overrides"]
        assert overrides == {"quota": {"requests.cpu": "8"}, "budgets": {"cpuHours": 900}}

        wrong = await run(hers, "requests", "create", "quota", "lidar", "--set", "cpu", code=2)
        assert "RESOURCE=AMOUNT is wanted" in wrong.output
        for hours in ("nan", "inf", "0"):
            for kubeconfig, of in ((operator, "projects top-up"), (hers, "requests create quota")):
                await run(kubeconfig, *of.split(), "lidar", "--cpu-hours", hours, code=2)
        overrides = (await admin.get(PROJECTS, "lidar"))["spec"]["overrides"]
        assert overrides["budgets"] == {"cpuHours": 900}, "what was given stays"
        await _is_on_record(hers, anna)


async def _is_on_record(hers: Path, anna: str) -> None:
    """What an owner changes, and that she did, is seen in her project."""
    await run(hers, "projects", "hibernate", "lidar")

    async def is_told() -> bool:
        shown = (await run(hers, "projects", "show", "lidar")).output
        return "state: Active -> Hibernated" in shown and anna in shown

    await until(is_told, "what was changed, and by whom")
