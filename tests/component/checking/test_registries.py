"""Registries are asked as containerd will ask them: the real docker-registry, and one that hands out tokens."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from skerry.checking.check import check
from skerry.checking.checks import Checks
from skerry.checking.registries import asked
from tests.support.oci_registry import oci_registry
from tests.unit.checking.objects import deployment

_ABSENT = "its registry has no such image"


async def test_what_a_registry_has(tmp_path: Path) -> None:
    async with oci_registry(tmp_path / "registry", everybody=True) as registry:
        registry.push("app", "1.0.0")
        there, absent = f"{registry.host}/charts/app:1.0.0", f"{registry.host}/charts/app:2.0.0"
        assert await asked([there, absent, f"{registry.host}/other:1"]) == {
            there: "", absent: _ABSENT, f"{registry.host}/other:1": _ABSENT
        }  # fmt: skip
        images = Checks(names=frozenset({"images"}), registries=True)
        report = await check(None, [deployment({"image": there}), deployment({"image": absent})], "default", images)
        assert [one.message for one in report.findings] == [f"the image {absent} cannot be pulled: {_ABSENT}"]
        assert (await check(None, [deployment({"image": absent})], "default")).errors == []


async def test_registries_that_prove_nothing(tmp_path: Path) -> None:
    async with oci_registry(tmp_path / "registry") as registry:
        assert await asked([f"{registry.host}/charts/app:1.0.0", "127.0.0.1:9/app:1"]) == {}


async def test_tokens_for_nobody_in_particular() -> None:
    """As Docker Hub does: a 401 says where a token is to be had."""
    seen: list[str] = []

    async def manifest(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer given":
            realm = f'Bearer realm="http://{request.host}/token",service="here",scope="repository:app:pull"'
            return web.Response(status=401, headers={"WWW-Authenticate": realm})
        return web.Response(status=200 if request.match_info["reference"] == "1" else 404)

    async def token(request: web.Request) -> web.Response:
        seen.append(request.query_string)
        return web.json_response({"token": "given"})

    application = web.Application()
    application.add_routes([web.get("/v2/app/manifests/{reference}", manifest), web.get("/token", token)])
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        _, port = runner.addresses[0][:2]
        images = [f"127.0.0.1:{port}/app:{tag}" for tag in ("1", "2")]
        assert await asked(images) == {images[0]: "", images[1]: _ABSENT}
    finally:
        await runner.cleanup()
    assert seen[0] == "service=here&scope=repository:app:pull"
