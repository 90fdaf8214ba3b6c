"""Members of a project and their programs at the gateway: what they may, the ways to more that must not be, the end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from skerry.kube.errors import Forbidden, Unauthorized
from skerry.kube.resources import CONFIG_MAPS
from skerry.platform.identity.sessions.sessions import Wanted
from skerry.platform.identity.types import Scope
from skerry.platform.projects.types import PROJECTS
from tests.component.platform.test_projects import project, until_says
from tests.support.gateway import client_of, kubectl_of, signed_in
from tests.support.kubectl import Kubectl
from tests.support.people import add_user, sessions_in
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import LIMIT, until, until_raises

ESCALATION = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: mine, namespace: lidar}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "skerry:owner"}
subjects: [{kind: ServiceAccount, name: default, namespace: lidar}]
"""


async def test_members_and_programs_do_what_their_role_says_as_long_as_they_have_it(tmp_path: Path) -> None:
    async with running_platform() as running:
        await running.admin.create(PROJECTS, project("lidar", members=[{"user": "ben", "role": "editor"}]))
        await until_says(running, "lidar", "Ready")
        await add_user(running, "ben")
        kubectl = kubectl_of(running, (await signed_in(running, "ben")).access, tmp_path)
        scope = Scope(project="lidar", role="editor")
        program = await sessions_in(running).open(Wanted("ben", "Program", scope=scope))
        await until(lambda: _may(kubectl, "create", "configmaps"), "ben's role")
        await _asks_for_more(kubectl)
        async with client_of(running, program.access) as ci, _proxy(kubectl) as url:
            await ci.create(CONFIG_MAPS, {"metadata": {"name": "of-ci"}}, "lidar")
            with pytest.raises(Forbidden, match=f'User "skerry:program:{program.name}" cannot list'):
                await ci.list(CONFIG_MAPS, "default")
            path = f"{url}/api/v1/namespaces/lidar/configmaps"
            assert await _code_of(path) == 200
            assert await _code_of(path, {"Impersonate-User": "kubernetes-admin"}) == 403
            assert await _code_of(path, {"Authorization": "Bearer guessed"}) == 401
            await _leaves(running)

            async def is_refused() -> bool:
                return await _code_of(path) == 403

            await until(is_refused, "ben is out")
            await until_raises(Unauthorized, lambda: ci.list(CONFIG_MAPS, "lidar"))


async def _asks_for_more(kubectl: Kubectl) -> None:
    for words, stdin, text in (
        (("apply", "-f", "-"), ESCALATION, "is attempting to grant RBAC permissions not currently held"),
        (("create", "token", "default", "-n", "lidar"), "", 'cannot create resource "serviceaccounts/token"'),
        (("label", "namespace", "lidar", "skerry.dev/project-"), "", "namespaces"),
        (("create", "clusterrolebinding", "x", "--clusterrole", "cluster-admin", "--user", "ben"), "", "cannot create"),
        (("get", "secrets", "-n", "skerry-system"), "", 'cannot list resource "secrets"'),
        (("get", "sessions"), "", 'cannot list resource "sessions"'),
    ):
        done = await kubectl.attempt(*words, stdin=stdin)
        assert (done.code, text in done.err) == (1, True), f"{words}: {done.err}"


async def _may(kubectl: Kubectl, verb: str, resource: str) -> bool:
    return (await kubectl.attempt("auth", "can-i", verb, resource, "-n", "lidar")).code == 0


async def _leaves(running: RunningPlatform) -> None:
    await running.admin.patch(PROJECTS, "lidar", {"spec": {"members": []}})


@asynccontextmanager
async def _proxy(kubectl: Kubectl) -> AsyncIterator[str]:
    """Where `kubectl proxy` listens."""
    process = await kubectl.start("proxy", "--append-server-path", "--port", "0")
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), LIMIT)
        port = re.search(rb"127\.0\.0\.1:(\d+)", line)
        assert port is not None, line
        yield f"http://127.0.0.1:{int(port[1])}"
    finally:
        process.kill()
        await process.communicate()


async def _code_of(url: str, headers: dict[str, str] | None = None) -> int:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status
