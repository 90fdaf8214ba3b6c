"""Releases of what is upstream of no catalogue: charts, overlays and manifests in git, charts at addresses."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from skerry.kube.client import Selection
from skerry.kube.conditions import condition_of
from skerry.kube.errors import Invalid, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import CONFIG_MAPS, DEPLOYMENTS, SECRETS
from skerry.platform.base.upstreams import REFRESH
from skerry.platform.catalog.capability import CATALOG_CAPABILITY
from skerry.platform.projects.capability import PROJECTS as PROJECTS_CAPABILITY
from skerry.platform.releases.capability import RELEASES as RELEASES_CAPABILITY
from skerry.platform.releases.types import RELEASES
from tests.component.platform.releasing import message_of, release, releasing, until_reason
from tests.component.platform.test_projects_docs import examples
from tests.support.catalogs import allow
from tests.support.chart_repository import chart_repository
from tests.support.cli import run
from tests.support.git_server import GitServer, git_server
from tests.support.helm import make_chart
from tests.support.kept_charts import WEB_FILES
from tests.support.oci_registry import oci_registry
from tests.support.waiting import until, until_raises

CAPABILITIES = (PROJECTS_CAPABILITY, RELEASES_CAPABILITY, CATALOG_CAPABILITY)
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{text: '{text}'}}\n"
PROD = "resources: [../../base]\nnamePrefix: prod-\n"


async def _ask(client: HttpClient, name: str, word: str, **spec: Any) -> None:
    """Have upstream looked at now."""
    change: Obj = {"metadata": {"annotations": {REFRESH: word}}, **({"spec": spec} if spec else {})}
    await client.patch(RELEASES, name, change, "lidar")


async def _until_fetched(client: HttpClient, name: str, word: str, reason: str = "Fetched") -> Obj:
    """Wait until upstream was looked at for that word; the Release."""

    async def looked() -> Obj | None:
        found = await client.get(RELEASES, name, "lidar")
        asked = ((found.get("status") or {}).get("source") or {}).get("asked")
        told = condition_of(found, "Fetched")
        return found if asked == word and told is not None and told["reason"] == reason else None

    found = await until(looked, f"{name}: {reason} at {word}")
    assert found is not None
    return found


async def _text(client: HttpClient, name: str) -> str:
    try:
        return str((await client.get(CONFIG_MAPS, name, "lidar"))["data"]["text"])
    except NotFound:
        return ""


async def _until_text(client: HttpClient, name: str, text: str) -> None:
    async def says() -> bool:
        return await _text(client, name) == text

    await until(says, f"{name} says {text}")


async def _login(client: HttpClient, **more: str) -> None:
    said = {"username": "anna", "password": "secret", **more}
    await client.create(SECRETS, {"metadata": {"name": "login"}, "stringData": said}, "lidar")


def _write(git: GitServer, **files: str) -> str:
    """Into the tree; `__` is a slash. The commit."""
    for name, text in files.items():
        path = git.tree / name.replace("__", "/")
        path = path.with_name(path.name + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return git.commit()


def _git(git: GitServer, type_: str, **more: str) -> Obj:
    return {"type": type_, "git": {"url": git.url, "secret": "login", **more}}


async def test_manifests_in_git_are_followed_and_outlive_their_upstream(tmp_path: Path) -> None:
    async with git_server(tmp_path / "git") as git, releasing(CAPABILITIES) as running:
        ben = running.as_user("ben")
        first = _write(git, apps__pages=MANIFEST.format(name="pages", text="{{ one }}"), **{".github__ci": "on: push"})
        source = _git(git, "Manifests", ref="main")
        await ben.create(RELEASES, release("pages", chart=None, source=source), "lidar")
        assert "there is no Secret login" in message_of(await until_reason(ben, "pages", "SecretMissing"))
        await _login(ben, **{"ca.crt": git.ca})
        await _ask(ben, "pages", "1")
        assert "is at no public address" in message_of(await until_reason(ben, "pages", "OutOfReach"))
        await allow(running.admin, addresses="127.0.0.0/8\n::1")
        await _ask(ben, "pages", "2")
        found = await until_reason(ben, "pages", "Deployed")
        assert found["status"]["sourceRevision"] == found["status"]["source"]["revision"] == f"main@sha1:{first}"
        assert found["status"]["history"][0]["description"] == f"main@sha1:{first}"
        assert await _text(ben, "pages") == "{{ one }}"

        # a commit that changes nothing of it is seen, and nothing is done
        _write(git, **{".github__ci": "on: pull_request"})
        await _ask(ben, "pages", "3")
        seen = await _until_fetched(ben, "pages", "3")
        assert seen["status"]["source"]["revision"] != f"main@sha1:{first}"
        assert seen["status"]["revision"] == 1
        second = _write(git, apps__pages=MANIFEST.format(name="pages", text="two"))
        await _ask(ben, "pages", "4")
        await _until_text(ben, "pages", "two")

        # upstream has gone: what runs goes on, and changes of the rest of the spec work
        (git.tree / ".git").rename(tmp_path / "away")
        await _ask(ben, "pages", "5", drift="Correct")
        await _until_fetched(ben, "pages", "5", "NoAnswer")
        gone = await until_reason(ben, "pages", "Deployed")
        assert gone["status"]["sourceRevision"] == f"main@sha1:{second}"
        await ben.delete(CONFIG_MAPS, "pages", "lidar")
        await _until_text(ben, "pages", "two")
        # of the two that were fetched only what is wanted is kept, and nobody's password is in it
        (kept,) = (await ben.list(CONFIG_MAPS, "lidar", Selection("skerry.dev/fetched"))).items
        assert name_of(kept) == gone["status"]["source"]["archive"]
        assert "secret" not in str(gone["status"])
        await ben.delete(RELEASES, "pages", "lidar")
        await until_raises(NotFound, lambda: ben.get(CONFIG_MAPS, name_of(kept), "lidar"))


async def test_an_overlay_in_git_has_its_base_beside_it(tmp_path: Path) -> None:
    async with git_server(tmp_path / "git") as git, releasing(CAPABILITIES) as running:
        ben = running.as_user("ben")
        await allow(running.admin, addresses="127.0.0.0/8\n::1")
        await _login(ben, **{"ca.crt": git.ca})
        base = MANIFEST.format(name="one", text="base")
        elsewhere = "resources: [https://web.example/x.yaml]\n"
        overlays = {"overlays__prod__kustomization": PROD, "overlays__test__kustomization": elsewhere}
        _write(git, base__one=base, base__kustomization="resources: [one.yaml]\n", **overlays)
        (git.tree / "overlays/linked").symlink_to("/etc")
        _write(git, overlays__sly__kustomization="resources: [../linked/passwd, ../../.git/config]\n")
        source = _git(git, "Kustomize", path="overlays/prod")
        await ben.create(RELEASES, release("site", chart=None, source=source), "lidar")
        await until_reason(ben, "site", "Deployed")
        assert await _text(ben, "prod-one") == "base"
        for path, reason, said in (
            ("overlays/test", "SourceRefused", "https://web.example/x.yaml is elsewhere"),
            ("overlays/sly", "SourceRefused", "../linked/passwd is not among the files"),
            ("base/nothing", "NotFound", "there is no folder base/nothing"),
            ("../..", "BadAddress", "leads out of the repository"),
        ):
            await ben.patch(RELEASES, "site", {"spec": {"source": {"git": {"path": path}}}}, "lidar")

            async def refused(reason: str = reason, said: str = said) -> bool:
                ready = condition_of(await ben.get(RELEASES, "site", "lidar"), "Ready") or {}
                return ready["reason"] == reason and said in ready["message"]

            await until(refused, f"{path}: {reason}")
        assert await _text(ben, "prod-one") == "base", "what runs goes on"


async def test_a_chart_in_git_is_rolled_out_with_every_change_of_it(tmp_path: Path) -> None:
    async with git_server(tmp_path / "git") as git, releasing(CAPABILITIES) as running:
        ben = running.as_user("ben")
        await allow(running.admin, addresses="127.0.0.0/8\n::1")
        await _login(ben, **{"ca.crt": git.ca})
        described = "apiVersion: v2\nname: site\nversion: 1.0.0\n"
        chart = make_chart(git.tree / "charts", {"Chart.yaml": described, **WEB_FILES}, "site")
        first = git.commit()
        wanted = release("shop", chart=None, source=_git(git, "Chart", path="charts/site"), values={"replicas": 2})
        await ben.create(RELEASES, wanted, "lidar")
        found = await until_reason(ben, "shop", "Deployed")
        assert (found["status"]["chart"], found["status"]["sourceRevision"]) == ("site-1.0.0", f"HEAD@sha1:{first}")
        assert (await ben.get(DEPLOYMENTS, "shop", "lidar"))["spec"]["replicas"] == 2

        # one that cannot work goes back to what ran
        (chart / "templates/web.yaml").write_text(WEB_FILES["templates/web.yaml"].replace("replicas:", "repliques:"))
        git.commit()
        await _ask(ben, "shop", "1")
        found = await until_failed(ben, "shop")
        assert found["status"]["sourceRevision"] == f"HEAD@sha1:{first}"
        (chart / "templates/web.yaml").write_text(WEB_FILES["templates/web.yaml"])
        values = (chart / "values.yaml").read_text()
        (chart / "values.yaml").write_text(values.replace("hello", "again"))
        second = git.commit()
        await _ask(ben, "shop", "2")
        await _until_rolled_out(ben, "shop", f"HEAD@sha1:{second}")  # under the same version
        template = (await ben.get(DEPLOYMENTS, "shop", "lidar"))["spec"]["template"]
        assert template["metadata"]["annotations"]["text"] == "again"

        # back to a revision of before, and a commit that stays what it is
        await ben.patch(RELEASES, "shop", {"spec": {"rollbackTo": 1}}, "lidar")
        found = await until_reason(ben, "shop", "Deployed")
        assert found["status"]["sourceRevision"] == f"HEAD@sha1:{first}"
        change = {"spec": {"rollbackTo": None, "source": {"git": {"ref": second}}}}
        await ben.patch(RELEASES, "shop", change, "lidar")
        found = await until_reason(ben, "shop", "Deployed")
        assert found["status"]["sourceRevision"] == f"sha1:{second}"
        git.tag("v1")
        (chart / "values.yaml").write_text("replicas: 0\n")
        git.commit()
        await ben.patch(RELEASES, "shop", {"spec": {"source": {"git": {"ref": "v1"}}}}, "lidar")
        found = await until_reason(ben, "shop", "Deployed")
        assert found["status"]["source"]["revision"] == f"v1@sha1:{second}", "the commit, not the tag's own object"
        assert found["status"]["revision"] == 4, "nothing of it is other than it was"

        # a chart of a catalogue instead
        await ben.patch(RELEASES, "shop", {"spec": {"source": None, "chart": {"name": "web"}}}, "lidar")
        found = await until_reason(ben, "shop", "Deployed")
        await _until_let_go(ben, "shop")
        assert not (await ben.get(RELEASES, "shop", "lidar"))["status"]["sourceRevision"]


async def _until_rolled_out(client: HttpClient, name: str, revision: str) -> None:
    async def is_rolled_out() -> bool:
        status = (await client.get(RELEASES, name, "lidar"))["status"]
        return status.get("sourceRevision") == revision and status["phase"] == "Deployed"

    await until(is_rolled_out, f"{revision} is rolled out")


async def _until_let_go(client: HttpClient, name: str) -> None:
    async def is_let_go() -> bool:
        status = (await client.get(RELEASES, name, "lidar"))["status"]
        fetched = await client.list(CONFIG_MAPS, "lidar", Selection("skerry.dev/fetched"))
        return "source" not in status and not fetched.items

    await until(is_let_go, "what was fetched goes")


async def until_failed(client: HttpClient, name: str) -> Obj:
    """Wait until it says that it failed."""

    async def failed() -> Obj | None:
        found = await client.get(RELEASES, name, "lidar")
        return found if found["status"]["phase"] == "Failed" else None

    found = await until(failed, f"{name} has failed")
    assert found is not None
    return found


async def test_a_chart_in_a_registry_is_followed_within_its_range(tmp_path: Path) -> None:
    async with oci_registry(tmp_path / "registry") as registry, releasing(CAPABILITIES) as running:
        ben = running.as_user("ben")
        await allow(running.admin, addresses="127.0.0.1")
        made = {"templates/a.yaml": MANIFEST.format(name="made", text="one")}
        for version in ("1.0.0", "2.0.0"):
            await asyncio.to_thread(registry.push, "web", version, made)
        url = f"{registry.url}/charts/web"
        await ben.create(RELEASES, release("shop", chart={"url": url, "version": "^1"}), "lidar")
        assert "`secret` names a Secret" in message_of(await until_reason(ben, "shop", "Refused"))
        await _login(ben)
        await ben.patch(RELEASES, "shop", {"spec": {"chart": {"secret": "login"}}}, "lidar")
        found = await until_deployed(ben, "shop", "web-1.0.0")
        revision = found["status"]["sourceRevision"]
        assert revision.startswith("1.0.0@sha256:")

        await asyncio.to_thread(registry.push, "web", "1.1.0+build.5", made)
        await _ask(ben, "shop", "1")
        found = await until_deployed(ben, "shop", "web-1.1.0+build.5")
        assert found["status"]["sourceRevision"].startswith("1.1.0_build.5@sha256:")
        moved = {"templates/a.yaml": MANIFEST.format(name="made", text="moved")}
        await asyncio.to_thread(registry.push, "web", "1.1.0+build.5", moved)
        await _ask(ben, "shop", "2")
        await _until_text(ben, "made", "moved")
        digest = revision.partition("@")[2]
        await ben.patch(RELEASES, "shop", {"spec": {"chart": {"digest": digest, "version": ""}}}, "lidar")
        found = await until_deployed(ben, "shop", "web-1.0.0")
        assert found["status"]["sourceRevision"] == digest
        await ben.patch(RELEASES, "shop", {"spec": {"chart": {"digest": "", "version": "3"}}}, "lidar")
        said = message_of(await until_reason(ben, "shop", "VersionMissing"))
        assert "has no version 3; it has: 2.0.0, 1.1.0+build.5, 1.0.0" in said


async def until_deployed(client: HttpClient, name: str, chart: str) -> Obj:
    """Wait until this chart runs and its status is about the present spec."""

    async def runs() -> Obj | None:
        found = await client.get(RELEASES, name, "lidar")
        ready = condition_of(found, "Ready") or {}
        is_current = ready.get("observedGeneration") == found["metadata"]["generation"]
        is_it = (found.get("status") or {}).get("chart") == chart and ready.get("reason") == "Deployed"
        return found if is_current and is_it else None

    found = await until(runs, f"{name} runs {chart}")
    assert found is not None
    return found


async def test_a_chart_at_an_address_is_what_its_digest_says(tmp_path: Path) -> None:
    async with chart_repository(tmp_path / "upstream") as upstream, releasing(CAPABILITIES) as running:
        ben = running.as_user("ben")
        upstream.login = "anna:secret"
        archive = upstream.add("web", "1.0.0", **{"templates/a.yaml": MANIFEST.format(name="made", text="one")})
        pinned = hashlib.sha256(archive.read_bytes()).hexdigest()
        chart = {"url": f"{upstream.url}/web-1.0.0.tgz", "digest": f"sha256:{'0' * 64}", "secret": "login"}
        await _login(ben)
        await ben.create(RELEASES, release("shop", chart=chart), "lidar")
        assert "is at no public address" in message_of(await until_reason(ben, "shop", "OutOfReach"))
        assert upstream.asked == []
        await allow(running.admin, addresses="127.0.0.0/8")
        await _ask(ben, "shop", "1")
        assert f"has sha256:{pinned}" in message_of(await until_reason(ben, "shop", "DigestMismatch"))
        await ben.patch(RELEASES, "shop", {"spec": {"chart": {"digest": pinned}}}, "lidar")
        found = await until_deployed(ben, "shop", "web-1.0.0")
        assert found["status"]["sourceRevision"] == f"sha256:{pinned}"
        assert await _text(ben, "made") == "one"

        # what was fetched and is deleted comes back, as long as upstream has it
        await ben.delete(CONFIG_MAPS, found["status"]["source"]["archive"], "lidar")
        archived = found["status"]["source"]["archive"]

        async def is_back() -> bool:
            try:
                return bool(await ben.get(CONFIG_MAPS, archived, "lidar"))
            except NotFound:
                return False

        await until(is_back, "what was fetched comes back")
        # other bytes at the same address are followed where nothing is pinned; evil ones change nothing
        upstream.add("web", "1.0.0", **{"templates/a.yaml": MANIFEST.format(name="made", text="two")})
        await ben.patch(RELEASES, "shop", {"spec": {"chart": {"digest": ""}}}, "lidar")
        await _until_text(ben, "made", "two")
        archive.write_bytes(_leading_out())
        await _ask(ben, "shop", "2")
        found = await _until_fetched(ben, "shop", "2", "ChartRefused")
        assert "leads out of the chart" in (condition_of(found, "Fetched") or {})["message"]
        await until_reason(ben, "shop", "Deployed")
        await ben.patch(RELEASES, "shop", {"spec": {"chart": {"url": "http://charts.example/a.tgz"}}}, "lidar")
        assert "https://... or oci://" in message_of(await until_reason(ben, "shop", "BadAddress"))
        assert await _text(ben, "made") == "two"


async def test_the_command_line_launches_from_an_address(tmp_path: Path) -> None:
    async with chart_repository(tmp_path / "upstream") as upstream, releasing(CAPABILITIES) as running:
        kubeconfig, here = running.cluster.kubeconfig, ("-n", "lidar")
        await allow(running.admin, addresses="127.0.0.0/8")
        upstream.add("web", "1.0.0", **{"templates/a.yaml": MANIFEST.format(name="made", text="one")})
        said = (await run(kubeconfig, "launch", f"{upstream.url}/web-1.0.0.tgz", *here)).output
        assert "web runs: revision 1, web 1.0.0" in said
        upstream.add("web", "1.0.0", **{"templates/a.yaml": MANIFEST.format(name="made", text="two")})
        said = (await run(kubeconfig, "releases", "refresh", "web", *here)).output
        assert said.startswith("upstream has sha256:")
        await _until_text(running.admin, "made", "two")
        upstream.is_up = False
        said = (await run(kubeconfig, "releases", "refresh", "web", *here, code=1)).output
        assert "NoAnswer" in said
        shown = (await run(kubeconfig, "releases", "show", "web", *here)).output
        assert "but now NoAnswer" in shown
        assert f"{upstream.url}/web-1.0.0.tgz" in shown
        await running.admin.create(RELEASES, release("other"), "lidar")
        said = (await run(kubeconfig, "releases", "refresh", "other", *here, code=1)).output
        assert "has no upstream of its own" in said


async def test_what_is_in_git_is_launched_by_command(tmp_path: Path) -> None:
    async with git_server(tmp_path / "git") as git, releasing(CAPABILITIES) as running:
        kubeconfig = running.cluster.kubeconfig
        await allow(running.admin, addresses="127.0.0.0/8\n::1")
        await _login(running.admin, **{"ca.crt": git.ca})
        commit = _write(git, apps__pages=MANIFEST.format(name="pages", text="one"))
        address, where = f"git+{git.url}", ("--path", "apps", "--type", "Manifests", "--ref", "main")
        said = (await run(kubeconfig, "launch", address, *where, "--secret", "login", "-n", "lidar")).output
        assert "apps runs: revision 1" in said
        found = await running.admin.get(RELEASES, "apps", "lidar")
        assert found["status"]["sourceRevision"] == f"main@sha1:{commit}"
        assert await _text(running.admin, "pages") == "one"


def _leading_out() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in ("web/Chart.yaml", "web/../../etc/cron.d/x"):
            content = b"name: web\nversion: 1.0.0\n"
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


NONSENSE: tuple[Obj, ...] = (
    {"chart": {"name": "web", "url": "https://charts.example/web.tgz"}},
    {"chart": {"version": "1"}},
    {"chart": {"name": "web", "secret": "login"}},
    {"chart": {"url": "oci://registry.example/web", "catalog": "skerry"}},
    {"chart": {"url": "oci://registry.example/web", "digest": "latest"}},
    {"chart": None, "source": {"type": "Manifests"}},
    {"chart": None, "source": {"type": "Chart", "configMap": "files"}},
    {"chart": None, "source": {"type": "Kustomize", "configMap": "files", "git": {"url": "https://git.example/a"}}},
)


async def test_what_means_two_things_or_none_is_refused_at_once() -> None:
    async with releasing() as running:
        for spec in NONSENSE:
            with pytest.raises(Invalid):
                await running.as_user("ben").create(RELEASES, release("odd", **spec), "lidar")
        for example in examples("resources/release.md", "Release")[2:]:
            await running.as_user("ben").create(RELEASES, example, "lidar")
