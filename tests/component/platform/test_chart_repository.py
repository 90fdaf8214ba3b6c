"""The platform as a chart repository: the real helm and curl, tokens of people and of pods, who may not."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from skerry.kube.client import Selection
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from skerry.platform.catalog.capability import CATALOG_CAPABILITY
from skerry.platform.catalog.types import CATALOGS
from skerry.platform.identity.capability import IDENTITY
from tests.support.catalogs import catalog, until_says
from tests.support.gateway import allow, signed_in
from tests.support.helm import Helm, make_chart
from tests.support.people import add_user
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until

_KEPT = Selection("skerry.dev/chart=app")
ANNA, BEN, EVE = "anna@uni.example", "ben@institute.example", "eve@elsewhere.example"


@dataclass
class Curl:
    """The real one, on one catalogue."""

    base: str
    ca: Path

    async def __call__(self, path: str, token: str, *words: str) -> tuple[int, str]:
        """Code and body. The token is the password, as with Helm."""
        login = ("-u", f"whoever:{token}") if token else ()
        command = ["curl", "-sS", "--cacert", str(self.ca), *login, "-w", "\n%{http_code}", *words, self.base + path]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        body, _, code = done.stdout.rpartition("\n")
        return int(code), body


async def _lab(running: RunningPlatform) -> None:
    """Anna edits, Ben reads, Eve has nothing there."""
    await running.admin.create(NAMESPACES, {"metadata": {"name": "lab"}})
    for user in (ANNA, BEN, EVE):
        await add_user(running, user)
    for user, role in ((ANNA, "edit"), (BEN, "view")):
        await allow(running, user, role, "lab")


async def test_charts_are_pushed_and_pulled_by_who_may(tmp_path: Path) -> None:
    async with running_platform(capabilities=(CATALOG_CAPABILITY, IDENTITY)) as running:
        await _lab(running)
        ca = tmp_path / "ca.crt"
        ca.write_bytes(running.platform.ca)
        curl = Curl(f"{running.platform.url}/charts/lab/ours", ca)
        helm = Helm(running.cluster.kubeconfig, tmp_path)
        anna, ben, eve = [(await signed_in(running, one)).access for one in (ANNA, BEN, EVE)]
        await running.as_user(ANNA).create(CATALOGS, catalog("ours", type="Hosted"), "lab")
        await until_says(running.admin, "ours", "Hosted", "lab")

        chart = make_chart(tmp_path, {"templates/a.yaml": "", "README.md": "# App"})
        await asyncio.to_thread(helm, "package", str(chart), "-d", str(tmp_path))
        archive = tmp_path / "app-1.0.0.tgz"
        data, form = ("--data-binary", f"@{archive}"), ("-F", f"chart=@{archive}")
        assert (await curl("/api/charts", "", *data))[0] == 401
        assert (await curl("/api/charts", "nonsense", *data))[0] == 401
        code, said = await curl("/api/charts", ben, *data)
        assert code == 403
        assert "verb push" in json.loads(said)["error"]
        assert (await curl("/index.yaml", eve))[0] == 403
        code, said = await curl("/api/charts", anna, *data)
        assert (code, json.loads(said)["saved"]) == (201, True)
        code, said = await curl("/api/charts", anna, *form)
        assert code == 409
        assert json.loads(said)["error"] == "app 1.0.0 is there already: versions do not change"
        assert "is no gzip" in (await curl("/api/charts", anna, "--data-binary", "rubbish"))[1]
        assert (await curl("/api/charts", anna, "-H", "Expect:", "--data-binary", f"@{_large(tmp_path)}"))[0] == 413

        login = ("--ca-file", str(ca), "--username", "whoever", "--password", ben)
        await asyncio.to_thread(helm, "repo", "add", "ours", curl.base, *login)
        (found,) = await asyncio.to_thread(helm.json, "search", "repo", "ours/")
        assert (found["name"], found["version"], found["app_version"]) == ("ours/app", "1.0.0", "7")
        (tmp_path / "pulled").mkdir()
        await asyncio.to_thread(helm, "pull", "ours/app", "-d", str(tmp_path / "pulled"))
        assert (tmp_path / "pulled" / "app-1.0.0.tgz").read_bytes() == archive.read_bytes()

        (chart / "README.md").write_text("# Better")
        await asyncio.to_thread(helm, "package", str(chart), "-d", str(tmp_path))
        await _versions_change_when_they_may(running, lambda: curl("/api/charts", anna, *form))
        token = await _pods_token(running)
        assert json.loads((await curl("/api/charts/app", token))[1])[0]["version"] == "1.0.0"
        assert (await curl("/api/charts/app/1.0.0", ben, "-I"))[0] == 200
        assert (await curl("/api/charts/app/1.0.0", ben, "-X", "DELETE"))[0] == 403
        assert (await curl("/api/charts/app/1.0.0", token, "-X", "DELETE"))[0] == 200
        assert (await curl("/api/charts/app/1.0.0", anna, "-X", "DELETE"))[0] == 404
        assert await _readmes(running) == []
        assert json.loads((await curl("/index.yaml", anna))[1])["entries"] == {}


async def _versions_change_when_they_may(
    running: RunningPlatform, push: Callable[[], Awaitable[tuple[int, str]]]
) -> None:
    """What was pushed and somebody deleted is nowhere else: it may be pushed again, though versions do not change."""
    await running.admin.patch(CATALOGS, "ours", {"spec": {"overwrite": True}}, "lab")
    assert (await push())[0] == 201

    async def is_better() -> bool:
        return await _readmes(running) == ["# Better"]

    async def is_pushed_again() -> bool:
        return (await push())[0] == 201

    await until(is_better)
    await running.admin.patch(CATALOGS, "ours", {"spec": {"overwrite": False}}, "lab")
    (kept,) = (await running.admin.list(CONFIG_MAPS, "lab", _KEPT)).items
    await running.admin.delete(CONFIG_MAPS, kept["metadata"]["name"], "lab")
    await until(is_pushed_again)
    assert await is_better()


async def _readmes(running: RunningPlatform) -> list[str]:
    kept = await running.admin.list(CONFIG_MAPS, "lab", _KEPT)
    return [one["data"]["README.md"] for one in kept.items]


def _large(folder: Path) -> Path:
    file = folder / "large"
    file.write_bytes(b"x" * (1 << 20))
    return file


async def _pods_token(running: RunningPlatform) -> str:
    """Of a service account that may edit."""
    await running.admin.create(SERVICE_ACCOUNTS, {"metadata": {"name": "ci"}}, "lab")
    await allow(running, "system:serviceaccount:lab:ci", "edit", "lab")
    wanted = {"metadata": {"name": "ci"}, "spec": {"expirationSeconds": 3600}}
    made = await running.admin.create(SERVICE_ACCOUNTS, wanted, "lab", "token")
    return str(made["status"]["token"])
