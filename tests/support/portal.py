"""A platform with its portal on a test cluster, people who are signed in, and a real browser that looks at it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.kube.clock import Clock
from skerry.kube.objects import Obj
from skerry.platform.base.capability import Capability
from skerry.platform.identity.login.welcome import COOKIE
from skerry.platform.identity.sessions.sessions import Wanted
from skerry.platform.identity.types import OPERATORS
from skerry.platform.program.all import ALL
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RELEASE
from skerry.portal.portal import portal_routes
from skerry.testing import cluster
from tests.support.browser import Browser, browser
from tests.support.people import add_group, add_user, sessions_in
from tests.support.platform import RunningPlatform, running_on
from tests.support.waiting import LIMIT, until

ROOT = Path(__file__).parents[2]


@dataclass
class RunningPortal:
    """`running`: the platform below."""

    running: RunningPlatform

    @property
    def url(self) -> str:
        return self.running.platform.url

    async def token_of(self, user: str) -> str:
        """A new session of a person's browser. The person is made when there is none."""
        if user not in await self._users():
            await add_user(self.running, user)
        return (await sessions_in(self.running).open(Wanted(user, "Browser"))).access

    async def _users(self) -> list[str]:
        from skerry.platform.identity.types import USERS

        return [one["spec"]["username"] for one in (await self.running.admin.list(USERS)).items]

    async def operator(self, user: str = "olga") -> str:
        """The token of somebody who may do everything."""
        token = await self.token_of(user)
        await add_group(self.running, OPERATORS, user)
        return token

    @asynccontextmanager
    async def signed_in(self, user: str) -> AsyncIterator[Browser]:
        """A browser as far as pages without scripts need one, with the person's cookie."""
        token = await self.token_of(user)
        async with browser(self.url, self.running.platform.ca) as someone:
            someone.keep(COOKIE, token)
            yield someone

    async def project(self, name: str, owner: str, **spec: Any) -> Obj:
        """A project that is ready."""
        await self.running.admin.create(PROJECTS, {"metadata": {"name": name}, "spec": {"owner": owner, **spec}})
        return await until(lambda: self._ready(name), f"project {name}")

    async def _ready(self, name: str) -> Obj | None:
        project = await self.running.admin.get(PROJECTS, name)
        conditions = (project.get("status") or {}).get("conditions") or ()
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        return project if ready and project["status"].get("quota") else None


def _roles() -> Sequence[Obj]:
    """Members' rights on Releases."""
    group, verbs = "rbac.authorization.k8s.io", ["get", "list", "watch"]
    return [
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": f"test:releases:{of}", "labels": {f"{group}/aggregate-to-{of}": "true"}},
            "rules": [{"apiGroups": ["skerry.dev"], "resources": ["releases"], "verbs": [*verbs, *more]}],
        }
        for of, more in (("view", []), ("edit", ["create", "update", "patch", "delete"]))
    ]


RELEASES_AS_THEY_ARE = Capability("releases", (RELEASE,), (), objects=_roles)
"""The kind without what reconciles it: tests say themselves what becomes of a Release."""
WITH_STILL_RELEASES = (*(one for one in ALL if one.name != "releases"), RELEASES_AS_THEY_ARE)


@asynccontextmanager
async def running_portal(
    *, nodes: int = 1, clock: Clock | None = None, capabilities: Sequence[Capability] = WITH_STILL_RELEASES
) -> AsyncIterator[RunningPortal]:
    """All of it, on a cluster of its own."""
    with cluster(nodes=nodes, clock=clock) as made:
        async with running_on(made, clock=clock, capabilities=capabilities, pages=portal_routes) as running:
            yield RunningPortal(running)


def install_assets() -> None:
    """What npm brings, as `make setup` does; quick when it is there."""
    done = subprocess.run([ROOT / "scripts/portal_assets.sh"], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr


@asynccontextmanager
async def chromium(*more: str) -> AsyncIterator[Any]:
    """Debian's Chromium, driven by Playwright. What it gives is Playwright's `Browser`. `more`: of its arguments."""
    from playwright.async_api import async_playwright

    install_assets()
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", *more]
        program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        made = await playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield made
        finally:
            await made.close()


async def page_of(made: Any, portal: RunningPortal, token: str, **options: Any) -> Any:
    """A page of somebody who is signed in. `options`: of Playwright's `new_context` (viewport, color_scheme, locale).
    It does not ask who signed the certificate."""
    context = await made.new_context(ignore_https_errors=True, base_url=portal.url, **options)
    context.set_default_timeout(LIMIT * 1000)
    if token:
        cookie = {"name": COOKIE, "value": token, "url": portal.url, "secure": True, "httpOnly": True}
        await context.add_cookies([{**cookie, "sameSite": "Lax"}])
    return await context.new_page()


_NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""What Chromium says to everything under way when an interface of the machine comes or goes, as those of pods do."""


def is_of_the_network(complaint: str) -> bool:
    """Whether Chromium says no more by it than that the machine's network changed: `visit` opens the page again."""
    return _NETWORK_CHANGED in complaint


async def visit(page: Any, path: str) -> Any:
    """Open a page, again when the machine's network changed meanwhile: it, or a part of it, did not come then. What it
    gives is Playwright's `Response`."""
    from playwright.async_api import Error

    missing: list[str] = []

    def note(request: Any) -> None:
        if request.failure and _NETWORK_CHANGED in request.failure:
            missing.append(request.url)

    page.on("requestfailed", note)
    try:
        while True:
            missing.clear()
            try:
                response = await page.goto(path)
            except Error as error:
                if _NETWORK_CHANGED not in error.message:
                    raise
                continue
            if not missing:
                return response
    finally:
        page.remove_listener("requestfailed", note)
