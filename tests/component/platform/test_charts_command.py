"""`skerry catalogs` and `skerry charts` as an operator and a researcher run them."""

from __future__ import annotations

import json
from pathlib import Path

from skerry.kube.resources import NAMESPACES
from skerry.platform.catalog.capability import CATALOG_CAPABILITY
from skerry.platform.catalog.types import CATALOGS
from skerry.platform.identity.capability import IDENTITY
from tests.support.catalogs import allow as allow_paths
from tests.support.catalogs import until_kept
from tests.support.cli import cells, run
from tests.support.gateway import allow, kubectl_of, signed_in
from tests.support.helm import make_chart
from tests.support.people import add_user
from tests.support.platform import running_platform
from tests.support.waiting import until

ANNA = "anna@uni.example"


async def test_charts_are_found_pushed_and_pulled(tmp_path: Path) -> None:
    files = {"Chart.yaml": "name: web\nversion: 1.0.0\ndescription: a site\nkeywords: [Zebra]\n"}
    make_chart(tmp_path / "charts", files, "web", "replicas: 1\n")
    own = make_chart(tmp_path, {"README.md": "# mine"}, "mine")
    async with running_platform(capabilities=(CATALOG_CAPABILITY, IDENTITY)) as running:
        operator = running.cluster.kubeconfig
        wrong = await run(operator, "catalogs", "add", "site", str(tmp_path / "charts"), "--global", code=1)
        assert "cannot be read: an operator has to allow" in wrong.output
        assert "give --yes" in (await run(operator, "catalogs", "rm", "site", "--global", code=1)).output
        await run(operator, "catalogs", "rm", "site", "--global", "--yes")
        await allow_paths(running.admin, directories=str(tmp_path))
        added = await run(operator, "catalogs", "add", "site", str(tmp_path / "charts"), "--global", "--keep", "Newest")
        assert "site: Refreshed: 1 charts" in added.output
        await until_kept(running.admin, "site.web", "1.0.0", namespace="skerry-catalogs")

        await running.admin.create(NAMESPACES, {"metadata": {"name": "lab"}})
        await add_user(running, ANNA)
        await allow(running, ANNA, "edit", "lab")
        hers = kubectl_of(running, (await signed_in(running, ANNA)).access, tmp_path).kubeconfig
        assert {row[1] for row in cells((await run(hers, "catalogs", "ls")).output)} == {"site", "skerry"}
        (found,) = cells((await run(hers, "charts", "search", "zebra", "site")).output)
        assert found[:2] == ["site/web", "1.0.0"]
        assert "no chart has unicorn" in (await run(hers, "charts", "search", "unicorn")).output
        assert (await run(hers, "charts", "show", "web", "--values")).output == "replicas: 1\n"
        assert "a site" in (await run(hers, "charts", "show", "site/web")).output
        assert "has no README.md" in (await run(hers, "charts", "show", "web", "--readme", code=1)).output
        assert "neither in lab nor everybody's" in (await run(hers, "charts", "show", "other/web", code=1)).output
        assert "cannot" in (await run(hers, "catalogs", "add", "x", "--global", code=1)).output

        assert "charts are pushed here" in (await run(hers, "catalogs", "add", "ours")).output
        assert "mine 1.0.0 is in ours" in (await run(hers, "charts", "push", str(own), "--catalog", "ours")).output
        again = await run(hers, "charts", "push", str(own), "--catalog", "ours", code=1)
        assert "versions do not change" in again.output
        pulled = (await run(hers, "charts", "pull", "mine", "-d", str(tmp_path))).output.strip()
        assert pulled == str(tmp_path / "mine-1.0.0.tgz")
        # an administrator has no token of the platform's
        assert (
            "mine 1.0.0 is no longer in ours"
            in (await run(operator, "charts", "rm", "mine", "1.0.0", "--catalog", "ours", "-n", "lab")).output
        )
        pushed = await run(operator, "charts", "push", pulled, "--catalog", "ours", "-n", "lab")
        assert "mine 1.0.0 is in ours" in pushed.output

        await run(operator, "catalogs", "pin", "site", "web", "--version", "^1")
        await run(operator, "catalogs", "pin", "site", "web", "--version", "^1")
        await run(operator, "catalogs", "refresh", "site")
        shown = json.loads((await run(operator, "catalogs", "show", "site", "-o", "json")).output)
        assert shown["spec"]["pinned"] == [{"name": "web", "version": "^1"}]

        async def is_pinned() -> bool:
            listed = await run(hers, "charts", "show", "site/web")
            return "pinned" in listed.output

        await until(is_pinned)
        await run(operator, "catalogs", "unpin", "site", "web")
        assert (await running.admin.get(CATALOGS, "site", "skerry-catalogs"))["spec"]["pinned"] == []
