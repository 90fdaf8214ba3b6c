"""`skerry launch` and `skerry releases` as an editor of a project runs them."""

from __future__ import annotations

import json
from pathlib import Path

from skerry.kube.errors import NotFound
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RELEASES
from tests.component.platform.releasing import releasing
from tests.support.cli import account_kubeconfig, cells, run
from tests.support.waiting import until, until_raises

HERE = ("-n", "lidar")


async def test_an_editor_launches_changes_and_takes_away(tmp_path: Path) -> None:
    async with releasing() as running:
        eve, hers = await account_kubeconfig(running.cluster, running.admin, tmp_path, "eve")
        members = [{"user": eve, "role": "editor"}]
        await running.admin.patch(PROJECTS, "lidar", {"spec": {"members": members}})

        async def may() -> bool:
            return not (await running.as_user(eve).list(RELEASES, "lidar")).items

        async def is_member() -> bool:
            try:
                return await may()
            except Exception:
                return False

        await until(is_member, "eve is a member")
        assert "skerry launch" in (await run(hers, "releases", "ls", *HERE)).output
        said = (await run(hers, "launch", "web", "--name", "shop", "-p", "lidar", "--set", "host=shop.example")).output
        assert "shop runs: revision 1, web 1.0.0\nhttps://shop.example\n" in said
        said = (await run(hers, "releases", "upgrade", "shop", "--set", "text=second", *HERE)).output
        assert "revision 2" in said
        (row,) = cells((await run(hers, "releases", "ls", *HERE)).output)
        assert row == ["shop", "web-1.0.0", "2", "Deployed", "yes", "https://shop.example"]
        said = (await run(hers, "releases", "diff", "shop", *HERE)).output
        assert "+text: second" in said
        said = (await run(hers, "releases", "upgrade", "shop", "--reset-values", "--set", "text=third", *HERE)).output
        assert "revision 3" in said, "one revision, not one without values in between"
        found = await running.admin.get(RELEASES, "shop", "lidar")
        assert found["spec"]["values"] == {"text": "third"}
        changes = ("--set", "host=shop.example", "--set", "text=null")
        assert (await run(hers, "releases", "upgrade", "shop", *changes, *HERE)).output
        found = await running.admin.get(RELEASES, "shop", "lidar")
        assert found["spec"]["values"] == {"host": "shop.example"}
        assert "hello" in (await run(hers, "releases", "diff", "shop", "1", "2", "--manifests", *HERE)).output
        assert "it has: 1, 2, 3, 4" in (await run(hers, "releases", "diff", "shop", "4", "7", *HERE, code=1)).output

        await run(hers, "releases", "rollback", "shop", "1", *HERE)
        revisions = cells((await run(hers, "releases", "history", "shop", *HERE)).output)
        assert [row[0] for row in revisions] == ["5", "4", "3", "2", "1"]
        assert "Stopped" in (await run(hers, "releases", "stop", "shop", *HERE)).output
        await run(hers, "releases", "start", "shop", *HERE)
        await run(hers, "releases", "suspend", "shop", *HERE)
        await run(hers, "releases", "resume", "shop", *HERE)
        assert "passed" in (await run(hers, "releases", "test", "shop", *HERE)).output
        shown = (await run(hers, "releases", "show", "shop", *HERE)).output
        assert "Open shop.example." in shown
        assert "of revision 5 passed" in shown

        assert "there is no chart nix" in (await run(hers, "launch", "nix", *HERE, code=1)).output
        await run(hers, "releases", "recover", "nix", *HERE)
        for lab in ("lab-a", "lab-b"):
            (tmp_path / f"{lab}.yaml").write_text(f"host: {lab}.example\n")
        each = [word for lab in ("lab-a", "lab-b") for word in ("--each", str(tmp_path / f"{lab}.yaml"))]
        said = (await run(hers, "launch", "web", *each, *HERE)).output
        assert "https://lab-b.example" in said
        listed = json.loads((await run(hers, "releases", "ls", "-o", "json", *HERE)).output)["releases"]
        assert [one["metadata"]["name"] for one in listed] == ["lab-a", "lab-b", "nix", "shop"]
        assert "uninstalled" in (await run(hers, "releases", "uninstall", "shop", *HERE)).output
        await until_raises(NotFound, lambda: running.admin.get(RELEASES, "shop", "lidar"))
