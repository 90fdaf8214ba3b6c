"""`skerry login` and what follows, by real command lines: kubectl's plug-in, programs' tokens, the end of it."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import yaml

from skerry.cli.signing_in.server import authority_of, fingerprint_of
from skerry.kube.clock import SystemClock
from skerry.kube.errors import Unauthorized
from skerry.kube.resources import NAMESPACES
from skerry.platform.identity.local.links import make_link
from skerry.platform.projects.types import PROJECTS
from tests.support.browser import Browser, browser
from tests.support.command_line import CommandLine
from tests.support.gateway import allow, client_of
from tests.support.kubectl import Kubectl
from tests.support.people import add_user
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import LIMIT, until

PASSWORD = "correct horse battery"


async def test_a_person_signs_in_works_and_signs_out(tmp_path: Path) -> None:
    async with running_platform() as running, browser(running.platform.url, running.platform.ca) as someone:
        await _anna(running, someone)
        skerry = CommandLine(tmp_path)
        kubectl = Kubectl(skerry.kubeconfig, tmp_path / "cache")
        url = running.platform.url
        await _trusts_nobody_unasked(running, skerry)
        skerry.kubeconfig.write_text("users: [{name: other, user: {token: x}}]\n")
        await _by_browser(skerry, someone, url, running.platform.ca)
        assert stat.S_IMODE(skerry.kubeconfig.stat().st_mode) == 0o600
        assert "other" in str(yaml.safe_load(skerry.kubeconfig.read_text())["users"])
        assert json.loads((await skerry("whoami", "-o", "json")).out)["user"] == "anna"
        assert (await kubectl("auth", "can-i", "list", "pods", env=skerry.environment)).out == "yes\n"
        await _is_renewed(skerry, kubectl)
        kept = json.loads(_kept(skerry).read_text())
        assert "Signed out" in (await skerry("logout")).out
        assert not _kept(skerry).exists()
        assert "skerry-127.0.0.1" not in skerry.kubeconfig.read_text()
        async with client_of(running, kept["access"]) as replayed:
            with pytest.raises(Unauthorized):
                await replayed.list(NAMESPACES)
        assert "nobody is signed in" in (await skerry.attempt("logout")).err
        assert "signed out: sign in with `skerry login`" in (await skerry.attempt("token", "skerry-x")).err
        await _by_device(skerry, someone, url)
        assert "anna" in (await skerry("whoami")).out


async def _anna(running: RunningPlatform, someone: Browser) -> None:
    """Somebody with a password and a namespace to look at."""
    await running.admin.create(NAMESPACES, {"metadata": {"name": "lab"}})
    await add_user(running, "anna")
    await allow(running, "anna", "view", "default")
    path = urlsplit(await make_link(running.admin, SystemClock(), running.platform.url, "Password", "anna")).path
    await someone.submit(await someone.get(path), path, password=PASSWORD, again=PASSWORD)


async def _trusts_nobody_unasked(running: RunningPlatform, skerry: CommandLine) -> None:
    url = running.platform.url
    assert (
        "which platform? Give its address"
        in (await skerry.attempt("login", "--data-dir", str(skerry.home / "none"))).err
    )
    assert f"this machine does not trust {url}" in (await skerry.attempt("login", url)).err
    assert "is not the address of a platform" in (await skerry.attempt("login", url.replace("https", "http"))).err
    wrong = await skerry.attempt("login", url, "--fingerprint", "AB:CD")
    assert f"{url} has another authority" in wrong.err


async def _by_browser(skerry: CommandLine, someone: Browser, url: str, ca: bytes) -> None:
    fingerprint = fingerprint_of(ca.decode())
    process = await skerry.start("login", url, "--fingerprint", fingerprint, "--no-browser")
    address = await _said(process, r"(https://\S+/identity/authorize\?\S+)")
    page = await someone.get(address.removeprefix(url))
    allowed = await someone.submit(page, "/identity/authorize", answer="Allow")
    async with aiohttp.ClientSession() as local:
        async with local.get(allowed.location.replace("state=", "state=x")) as forged:
            assert forged.status == 404
        async with local.get(allowed.location) as told:
            assert "Signed in" in await told.text()
    out, err = await asyncio.wait_for(process.communicate(), LIMIT)
    assert process.returncode == 0, err
    assert b"is the current context" in out


async def _by_device(skerry: CommandLine, someone: Browser, url: str) -> None:
    ca = skerry.home / "ca.pem"
    ca.write_text(await asyncio.to_thread(authority_of, url))
    process = await skerry.start("login", url, "--ca", str(ca), "--device")
    code = await _said(process, r"and type (\S+)")
    shown = await someone.submit(await someone.get("/identity/device"), "/identity/device", user_code=code)
    await someone.submit(shown, "/identity/device", answer="Allow")
    _, err = await asyncio.wait_for(process.communicate(), LIMIT)
    assert process.returncode == 0, err


async def _said(process: asyncio.subprocess.Process, pattern: str) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(LIMIT):
        while line := await process.stderr.readline():
            if found := re.search(pattern, line.decode()):
                return found[1]
    raise AssertionError(f"it never said {pattern}")


async def _is_renewed(skerry: CommandLine, kubectl: Kubectl) -> None:
    """By several at once, one of which does it; the plug-in's answer is what kubectl expects."""
    before = json.loads(_kept(skerry).read_text())
    _kept(skerry).write_text(json.dumps({**before, "expires": time.time()}))
    done = await asyncio.gather(*(kubectl("get", "pods", env=skerry.environment) for _ in range(3)))
    assert {one.code for one in done} == {0}
    after = json.loads(_kept(skerry).read_text())
    assert after["access"] != before["access"]
    given = json.loads((await skerry("token")).out)
    assert (given["kind"], given["status"]["token"]) == ("ExecCredential", after["access"])


def _kept(skerry: CommandLine) -> Path:
    folder = skerry.home / "config/skerry/sessions"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    return next(iter(folder.glob("*.json")), folder / "none")


async def test_programs_have_tokens_of_their_own(tmp_path: Path) -> None:
    async with running_platform() as running, browser(running.platform.url, running.platform.ca) as someone:
        await _anna(running, someone)
        skerry = CommandLine(tmp_path)
        await _by_browser(skerry, someone, running.platform.url, running.platform.ca)
        for name, role in (("lidar", "editor"), ("other", "")):
            members = [{"user": "anna", "role": role}] if role else []
            spec = {"owner": "ben", "members": members, "namespaces": [name]}
            project = {"apiVersion": PROJECTS.api_version, "kind": "Project", "metadata": {"name": name}, "spec": spec}
            await running.admin.create(PROJECTS, project)
        make = ("tokens", "create", "--project", "lidar", "--role", "editor", "--description", "ci", "-o", "json")
        known = running.platform.contexts["identity"].informers.of(PROJECTS)
        await until(lambda: known.get("lidar") and known.get("other"), "the projects are known")
        made = json.loads((await skerry(*make)).out)
        more = await skerry.attempt("tokens", "create", "--project", "lidar", "--role", "owner")
        assert "you are not owner in project lidar: nobody makes a token for more than they may do" in more.err
        foreign = await skerry.attempt("tokens", "create", "--project", "other")
        assert "there is no project other, or you are not a member of it" in foreign.err
        async with client_of(running, made["token"]) as program:
            with pytest.raises(Exception, match=f'User "skerry:program:{made["name"]}" cannot list'):
                await program.list(NAMESPACES)

            async def is_noted() -> bool:
                listed = json.loads((await skerry("tokens", "ls", "-o", "json")).out)
                (ci,) = [one for one in listed if one["name"] == made["name"]]
                return (ci["project"], ci["role"], ci["description"]) == ("lidar", "editor", "ci") and ci["lastUsed"]

            await until(is_noted, "its last use")
            assert made["name"] in (await skerry("tokens", "ls")).out
            assert "revoked" in (await skerry("tokens", "revoke", made["name"])).out
            with pytest.raises(Unauthorized):
                await program.list(NAMESPACES)
        gone = await skerry.attempt("tokens", "revoke", made["name"])
        assert f"there is no token {made['name']}, or it is not yours" in gone.err
