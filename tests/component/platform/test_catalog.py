"""Catalogues on a test cluster: what directories come to, what is kept, what goes."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from skerry.kube.client import Selection
from skerry.kube.conditions import condition_of
from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, SECRETS
from skerry.platform.base.capability import Capability
from skerry.platform.catalog.capability import CATALOG_CAPABILITY
from skerry.platform.catalog.charts.archive import read_chart
from skerry.platform.catalog.keeping.uses import RELEASES
from skerry.platform.catalog.types import ARCHIVE_KEY, CATALOG_ENTRIES, CATALOGS, GLOBAL_NAMESPACE
from skerry.platform.releases.types import RELEASE
from skerry.testing import cluster
from tests.support.catalogs import allow, catalog, refresh, until_kept, until_says
from tests.support.chart_repository import chart_repository
from tests.support.git_server import git_server
from tests.support.helm import make_chart
from tests.support.lagging import lag
from tests.support.oci_registry import oci_registry
from tests.support.platform import running_on, running_platform
from tests.support.storage_servers import ssh_server
from tests.support.waiting import until, until_raises

ONLY = (CATALOG_CAPABILITY, Capability(name="releases", kinds=(RELEASE,), rights=()))
"""Releases are written by nobody but the test."""
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


def _examples() -> list[Obj]:
    """Those of the page about catalogues, for our namespace."""
    page = (Path(__file__).parents[3] / "docs/resources/catalog.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    found = [one for block in blocks for one in yaml.safe_load_all(block)]
    assert len(found) == 2
    return [{**one, "metadata": {"name": one["metadata"]["name"]}} for one in found]


@asynccontextmanager
async def own_directory(tmp_path: Path) -> AsyncIterator[tuple[HttpClient, Path]]:
    """The catalogue `mine` of a directory that has the chart `web`; its folder."""
    web = make_chart(
        tmp_path / "charts", {"values.schema.json": "{}", "templates/a.yaml": "a: 1"}, "web", "replicas: 1\n"
    )
    async with running_platform(capabilities=ONLY) as running:
        await allow(running.admin, directories=f"{tmp_path}\n")
        mine = catalog("mine", type="Directory", path=str(web.parent), keep="All")
        await running.admin.create(CATALOGS, mine, "default")
        yield running.admin, web


async def test_everybodys_catalogue_and_those_that_operators_allow(tmp_path: Path) -> None:
    charts = tmp_path / "charts"
    make_chart(charts, {}, "web")
    make_chart(charts, {"Chart.yaml": "name: base\nversion: 1.0.0\ntype: library\n"}, "base")
    make_chart(charts, {"Chart.yaml": "name: Wrong_Name\nversion: 1.0.0\n"}, "wrong")
    async with running_platform(capabilities=ONLY) as running:
        admin = running.admin
        shipped = await admin.get(CATALOGS, "skerry", GLOBAL_NAMESPACE)
        assert shipped["spec"]["path"].endswith("/charts")
        await until_says(admin, "skerry", "Refreshed", GLOBAL_NAMESPACE)
        assert (await running.as_user("somebody").list(CATALOGS, GLOBAL_NAMESPACE)).items
        for example in _examples():
            await admin.create(CATALOGS, example, "default")
            await admin.delete(CATALOGS, example["metadata"]["name"], "default")

        await admin.create(CATALOGS, catalog("mine", type="Directory", path=str(charts), keep="All"), "default")
        assert "an operator has to allow" in await until_says(admin, "mine", "NotAllowed")
        await allow(admin, directories=f"{tmp_path}\n")
        await refresh(admin, "mine", "1")
        assert "'Wrong_Name' cannot be the name of a chart" in await until_says(admin, "mine", "Refreshed")
        assert [one["metadata"]["name"] for one in (await admin.list(CATALOG_ENTRIES, "default")).items] == ["mine.web"]


async def test_a_directory_of_charts_is_a_catalogue(tmp_path: Path) -> None:
    async with own_directory(tmp_path) as (admin, web):
        entry = await until_kept(admin, "mine.web", "1.0.0")
        (version,) = entry["spec"]["versions"]
        kept = await admin.get(CONFIG_MAPS, version["archive"], "default")
        assert kept["data"]["values.yaml"] == "replicas: 1\n"
        assert kept["data"]["values.schema.json"] == "{}"
        archive = base64.b64decode(kept["binaryData"][ARCHIVE_KEY])
        assert read_chart(archive).digest == version["digest"]
        assert version["archive"] == f"chart-{version['digest'][:40]}"

        # a new version comes, then another chart under the same version
        (web / "Chart.yaml").write_text("name: web\nversion: 1.1.0\ndescription: better\n")
        await admin.patch(CATALOGS, "mine", {"spec": {"keep": "Newest"}}, "default")
        entry = await until_kept(admin, "mine.web", "1.1.0")
        assert entry["spec"]["description"] == "better"
        await until_raises(NotFound, lambda: admin.get(CONFIG_MAPS, version["archive"], "default"))
        (web / "values.yaml").write_text("replicas: 2\n")
        await refresh(admin, "mine", "2")

        async def is_new() -> bool:
            listed = await admin.list(CONFIG_MAPS, "default", Selection("skerry.dev/chart=web"))
            return [one["data"]["values.yaml"] for one in listed.items] == ["replicas: 2\n"]

        await until(is_new, "what our own directory has counts")


async def test_what_somebody_deletes_comes_back_and_what_is_pinned_stays(tmp_path: Path) -> None:
    async with own_directory(tmp_path) as (admin, web):
        entry = await until_kept(admin, "mine.web", "1.0.0")
        await admin.delete(CATALOG_ENTRIES, "mine.web", "default")
        entry = await until_kept(admin, "mine.web", "1.0.0")
        (version,) = entry["spec"]["versions"]
        archive = await admin.get(CONFIG_MAPS, version["archive"], "default")
        await admin.delete(CONFIG_MAPS, version["archive"], "default")

        async def is_back() -> bool:
            listed = await admin.list(CONFIG_MAPS, "default", Selection("skerry.dev/chart"))
            return [one["binaryData"] for one in listed.items] == [archive["binaryData"]]

        await until(is_back, "a deleted archive comes back")
        await until_kept(admin, "mine.web", "1.0.0")

        await admin.patch(
            CATALOGS, "mine", {"spec": {"keep": "Used", "pinned": [{"name": "web", "version": "1"}]}}, "default"
        )
        shutil.rmtree(web)
        await refresh(admin, "mine", "3")

        async def is_alone() -> bool:
            (found,) = (await admin.get(CATALOG_ENTRIES, "mine.web", "default"))["spec"]["versions"]
            return bool(found["archive"] and found["pinned"] and not found["url"])

        await until(is_alone, "a pinned version outlives its upstream")
        await admin.patch(CATALOGS, "mine", {"spec": {"pinned": []}}, "default")
        await until_raises(NotFound, lambda: admin.get(CATALOG_ENTRIES, "mine.web", "default"))

        async def is_empty() -> bool:
            return not (await admin.list(CONFIG_MAPS, "default", Selection("skerry.dev/chart"))).items

        await until(is_empty, "its archive goes with it")


async def test_what_was_kept_a_moment_ago_outlives_its_upstream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry is deleted as it was seen, not as it is by now."""
    lag(monkeypatch, CATALOG_ENTRIES, seconds=1.0)
    async with own_directory(tmp_path) as (admin, web):
        await until_kept(admin, "mine.web", "1.0.0")
        shutil.rmtree(web)
        await refresh(admin, "mine", "1")

        async def is_alone() -> bool:
            (kept,) = (await admin.get(CATALOG_ENTRIES, "mine.web", "default"))["spec"]["versions"]
            return bool(kept["archive"] and not kept["url"])

        await until(is_alone, "what is kept outlives its upstream")


async def test_what_releases_refer_to_outlives_an_upstream_over_http(tmp_path: Path) -> None:
    async with chart_repository(tmp_path / "upstream") as upstream, running_platform(capabilities=ONLY) as running:
        admin = running.admin
        for version in ("1.0.0", "1.1.0", "2.0.0"):
            upstream.add("web", version, **{"README.md": "# Web"})
        upstream.add("other", "1.0.0")
        upstream.login = "anna:secret"
        await admin.create(CATALOGS, catalog("far", type="Http", url=upstream.url, charts=["web"]), "default")
        assert "is at no public address" in await until_says(admin, "far", "OutOfReach")
        assert upstream.asked == []
        await allow(admin, addresses="127.0.0.0/8\nnonsense\n")
        await refresh(admin, "far", "1")
        assert "names a Secret to log in by" in await until_says(admin, "far", "Refused")
        secret = {"metadata": {"name": "login"}, "stringData": {"username": "anna", "password": "secret"}}
        await admin.create(SECRETS, secret, "default")
        await admin.patch(CATALOGS, "far", {"spec": {"secret": "login"}}, "default")
        assert await until_says(admin, "far", "Refreshed") == "1 charts"
        (entry,) = (await admin.list(CATALOG_ENTRIES, "default")).items
        assert [one["version"] for one in entry["spec"]["versions"]] == ["2.0.0", "1.1.0", "1.0.0"]
        assert entry["spec"]["description"] == "of upstream"
        assert not any(".tgz" in one for one in upstream.asked), "nobody wants one yet"

        release = {"metadata": {"name": "site"}, "spec": {"chart": {"name": "web", "version": "^1"}}}
        await admin.create(RELEASES, {"apiVersion": RELEASES.api_version, "kind": "Release", **release}, "default")
        entry = await until_kept(admin, "far.web", "1.1.0")
        kept = next(one for one in entry["spec"]["versions"] if one["archive"])
        assert (await admin.get(CONFIG_MAPS, kept["archive"], "default"))["data"]["README.md"] == "# Web"

        # upstream has other bytes under the name of what is kept, and under one that is not
        upstream.add("web", "1.1.0", **{"values.yaml": "evil: true\n"})
        upstream.add("web", "1.2.0")
        await refresh(admin, "far", "2")

        async def is_told() -> bool:
            return "other bytes under versions that are kept: web 1.1.0" in await until_says(admin, "far", "Refreshed")

        await until(is_told)
        entry = await until_kept(admin, "far.web", "1.2.0")
        await admin.patch(RELEASES, "site", {"spec": {"chart": {"version": "1.0.0"}}}, "default")
        (upstream.folder / "served" / "web-1.0.0.tgz").write_bytes(b"something else")

        async def is_refused() -> str:
            found = condition_of(await admin.get(CATALOG_ENTRIES, "far.web", "default"), "Kept") or {}
            return str(found.get("message")) if found.get("status") == "False" else ""

        assert "1.0.0: the archive is no gzip" in await until(is_refused)
        upstream.add("web", "1.0.0")
        await admin.patch(RELEASES, "site", {"spec": {"chart": {"version": "2.0.0"}}}, "default")
        await until_kept(admin, "far.web", "2.0.0")
        upstream.is_up = False
        await refresh(admin, "far", "3")
        assert "answers 503" in await until_says(admin, "far", "NoAnswer")
        await until_kept(admin, "far.web", "2.0.0")


async def test_charts_in_a_registry_are_a_catalogue(tmp_path: Path) -> None:
    async with oci_registry(tmp_path / "registry") as registry:
        for version in ("1.0.0", "1.1.0+build.5", "2.0.0-rc.1"):
            await asyncio.to_thread(registry.push, "web", version)
        async with running_platform(capabilities=ONLY) as running:
            admin = running.admin
            await allow(admin, addresses="127.0.0.1")
            wanted = catalog("reg", type="OCI", url=f"{registry.url}/charts")
            await admin.create(CATALOGS, wanted, "default")
            assert "answers 401: `secret` names" in await until_says(admin, "reg", "Refused")
            secret = {"metadata": {"name": "login"}, "stringData": {"username": "anna", "password": "secret"}}
            await admin.create(SECRETS, secret, "default")
            await admin.patch(CATALOGS, "reg", {"spec": {"secret": "login", "charts": ["nothing"]}}, "default")
            assert "/charts/nothing/tags" in await until_says(admin, "reg", "NotFound")
            change = {"spec": {"charts": ["web"], "pinned": [{"name": "web", "version": "1.1"}]}}
            await admin.patch(CATALOGS, "reg", change, "default")
            assert await until_says(admin, "reg", "Refreshed") == "1 charts"
            entry = await until_kept(admin, "reg.web", "1.1.0+build.5")
            assert [one["version"] for one in entry["spec"]["versions"]] == ["2.0.0-rc.1", "1.1.0+build.5", "1.0.0"]
            assert entry["spec"]["description"] == "of upstream"
            kept = entry["spec"]["versions"][1]
            archive = (await admin.get(CONFIG_MAPS, kept["archive"], "default"))["binaryData"][ARCHIVE_KEY]
            assert base64.b64decode(archive) == registry.packed["1.1.0+build.5"].read_bytes()
            assert len(kept["digest"]) == 64

            # what was learned by fetching is not forgotten by reading again
            await asyncio.to_thread(registry.push, "web", "3.0.0")
            await refresh(admin, "reg", "1")

            async def is_longer() -> bool:
                versions = (await admin.get(CATALOG_ENTRIES, "reg.web", "default"))["spec"]["versions"]
                return [one["version"] for one in versions if one["archive"] and one["digest"]] == [
                    "1.1.0+build.5"
                ] and (len(versions) == 4)

            await until(is_longer)


async def test_charts_in_a_git_repository_are_a_catalogue(tmp_path: Path) -> None:
    async with git_server(tmp_path / "git") as git, running_platform(capabilities=ONLY) as running:
        admin = running.admin
        web = make_chart(git.tree / "charts", {"README.md": "# 1"}, "web")
        evil = make_chart(git.tree / "charts", {}, "evil")
        (evil / "values.yaml").unlink()
        (evil / "values.yaml").symlink_to("/etc/passwd")
        (git.tree / "elsewhere").symlink_to("/")
        first = git.commit()

        await allow(admin, directories=str(tmp_path / "git"))
        await admin.create(CATALOGS, catalog("disk", type="Git", url=f"file://{git.tree}", path="charts"), "default")
        said = await until_says(admin, "disk", "Refreshed")
        assert said.startswith("1 charts. 1 cannot be used: values.yaml cannot be read")
        assert (await admin.get(CATALOGS, "disk", "default"))["status"]["revision"] == first
        for change, reason in (
            ({"path": "elsewhere"}, "NotFound"),
            ({"path": "../.."}, "BadAddress"),
            ({"path": "charts", "ref": "--upload-pack=id"}, "BadAddress"),
            ({"ref": "nothing"}, "NoAnswer"),
            ({"url": "file:///etc"}, "NotAllowed"),
            ({"url": "ext::sh -c id"}, "BadAddress"),
            ({"url": "ssh://a$(id)/x"}, "BadAddress"),
            ({"url": git.url}, "OutOfReach"),
        ):
            await admin.patch(CATALOGS, "disk", {"spec": change}, "default")
            await until_says(admin, "disk", reason)

        # over TLS, with a password, at a branch: what it has now, and what it had when it is pinned
        await allow(admin, addresses="127.0.0.0/8\n::1")
        spec = {"ref": "main", "pinned": [{"name": "web", "version": "1"}]}
        await admin.patch(CATALOGS, "disk", {"spec": spec}, "default")
        assert "certificate" in await until_says(admin, "disk", "NoAnswer")
        login = {"username": "anna", "password": "secret", "ca.crt": git.ca}
        await admin.create(SECRETS, {"metadata": {"name": "login"}, "stringData": login}, "default")
        await admin.patch(CATALOGS, "disk", {"spec": {"secret": "login"}}, "default")
        await until_says(admin, "disk", "Refreshed")
        entry = await until_kept(admin, "disk.web", "1.0.0")
        (web / "Chart.yaml").write_text("name: web\nversion: 1.1.0\n")
        second = git.commit()
        await refresh(admin, "disk", "1")
        entry = await until_kept(admin, "disk.web", "1.1.0", "1.0.0")
        assert [bool(one["url"]) for one in entry["spec"]["versions"]] == [True, False]
        assert (await admin.get(CATALOGS, "disk", "default"))["status"]["revision"] == second
        await admin.patch(CATALOGS, "disk", {"spec": {"ref": first}}, "default")

        async def is_first() -> bool:
            return bool((await admin.get(CATALOGS, "disk", "default"))["status"]["revision"] == first)

        await until(is_first)


@pytest.mark.root
async def test_git_over_ssh_knows_whom_it_talks_to(tmp_path: Path) -> None:
    async with git_server(tmp_path / "git") as git, running_platform(capabilities=ONLY) as running:
        make_chart(git.tree, {}, "web")
        git.commit()
        admin = running.admin
        await allow(admin, addresses="127.0.0.1")
        with ssh_server(tmp_path / "ssh") as server:
            url = f"ssh://root@127.0.0.1:{server.port}{git.tree}"
            await admin.create(CATALOGS, catalog("labs", type="Git", url=url, secret="login"), "default")
            assert "there is no Secret login" in await until_says(admin, "labs", "SecretMissing")
            wrong = {**server.secrets, "known_hosts": f"[127.0.0.1]:{server.port} {OTHER_KEY}"}
            await admin.create(SECRETS, {"metadata": {"name": "login"}, "stringData": wrong}, "default")
            await refresh(admin, "labs", "1")
            assert "Host key verification failed" in await until_says(admin, "labs", "NoAnswer")
            await admin.patch(SECRETS, "login", {"stringData": dict(server.secrets)}, "default")
            await refresh(admin, "labs", "2")
            assert await until_says(admin, "labs", "Refreshed") == "1 charts"


async def test_a_directory_is_read_when_the_platform_is_started(tmp_path: Path) -> None:
    web = make_chart(tmp_path / "charts", {}, "web")
    with cluster(nodes=0) as made:
        async with running_on(made, capabilities=ONLY) as running:
            await allow(running.admin, directories=str(tmp_path))
            wanted = catalog("mine", type="Directory", path=str(tmp_path / "charts"), keep="Newest")
            await running.admin.create(CATALOGS, wanted, "default")
            await until_kept(running.admin, "mine.web", "1.0.0")
        (web / "Chart.yaml").write_text("name: web\nversion: 1.1.0\n")
        async with running_on(made, capabilities=ONLY) as running:
            await until_kept(running.admin, "mine.web", "1.1.0")
