"""The gateway on a test cluster: kubectl as it is, the ways around it that must not be, streams that are cut."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from skerry.kube.errors import Forbidden, TooManyRequests, Unauthorized
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import Connection
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from skerry.platform.base.capability import Settings
from skerry.platform.identity.gateway import guard
from skerry.platform.identity.gateway.asking import PREFIX
from skerry.platform.identity.sessions.sessions import Opened
from skerry.platform.identity.types import GROUPS
from tests.support.gateway import BINDINGS, allow, client_of, kubectl_of, signed_in
from tests.support.kubectl import OVER_SPDY, Done
from tests.support.people import add_group, add_user, sessions_in
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import LIMIT, until

ANNA, BEN = "anna@uni.example", "ben@institute.example"
APP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers: [{name: main, image: app}]
"""
ESCALATION = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: mine}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: anna@uni.example}]
"""


async def _lab(running: RunningPlatform) -> None:
    """A namespace in which anna edits and ben reads."""
    await running.admin.create(NAMESPACES, {"metadata": {"name": "lab"}})
    for user, role in ((ANNA, "edit"), (BEN, "view")):
        await add_user(running, user)
        await allow(running, user, role, "lab")


async def test_kubectl_works_as_it_is_and_does_what_its_user_may(tmp_path: Path) -> None:
    async with running_platform() as running:
        await _lab(running)
        await add_group(running, "urn:mace:egi.eu:group:lab", ANNA)
        for name in ("anna", "ben"):
            (tmp_path / name).mkdir()
        anna = kubectl_of(running, (await signed_in(running, ANNA)).access, tmp_path / "anna")
        ben = kubectl_of(running, (await signed_in(running, BEN)).access, tmp_path / "ben")
        who = (await anna("auth", "whoami")).out
        assert "anna@uni.example" in who
        assert "urn:mace:egi.eu:group:lab" in who
        assert "skerry.dev/session" in who
        await anna("apply", "-f", "-", stdin=APP)
        assert "unchanged" in (await anna("apply", "-f", "-", stdin=APP)).out
        assert "successfully rolled out" in (await anna("rollout", "status", "deployment/app")).out
        assert "FIELDS" in (await anna("explain", "deployment.spec")).out
        assert len((await ben("get", "pods", "-o", "name")).out.split()) == 2
        await _is_refused(ben.attempt("delete", "configmap/settings"), f'User "{BEN}" cannot delete resource')
        await _is_refused(anna.attempt("apply", "-f", "-", stdin=ESCALATION), f'User "{ANNA}" cannot')
        await _is_refused(
            anna.attempt("get", "pods", "--as", "admin"), "acting as somebody else (--as) is not possible"
        )
        pod = (await anna("get", "pods", "-o", "name")).out.split()[0]
        await _is_refused(anna.attempt("logs", pod), "this API server has no node to reach pods on")
        for transport in ({}, OVER_SPDY):
            await _is_refused(ben.attempt("exec", pod, "--", "id", env=transport), f'User "{BEN}" cannot')
            await _is_refused(anna.attempt("exec", pod, "--", "id", env=transport), "has no node to reach pods on")


async def test_no_way_around_the_gateway(tmp_path: Path) -> None:
    async with running_platform() as running:
        await _lab(running)
        opened = await signed_in(running, ANNA)
        for headers, text in (
            ({}, "sign in with `skerry login`"),
            ({"Authorization": "Bearer sky_guessed"}, "sign in with `skerry login`"),
            ({"Authorization": f"Bearer {opened.refresh}"}, "sign in with `skerry login`"),
            ({"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}, "sign in with `skerry login`"),
            ({"Cookie": f"skerry={opened.access}"}, "sign in with `skerry login`"),
        ):
            assert await _status_of(running, "/api/v1/nodes", headers) == (401, text)
        bearer = {"Authorization": f"Bearer {opened.access}"}
        for headers in (
            {"Impersonate-User": "admin"},
            {"Impersonate-Group": "system:masters"},
            {"impersonate-extra-scopes": "all"},
            {"Impersonate-Uid": "1"},
        ):
            told = await _status_of(running, "/api/v1/nodes", {**bearer, **headers})
            assert told == (403, "acting as somebody else (--as) is not possible through the gateway")
        forbidden = (403, f'User "{ANNA}" cannot list resource "nodes" in API group "" at the cluster scope')
        for headers in (
            {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"},
            {"Connection": "Impersonate-User, Impersonate-Group, Authorization"},
            {"Cookie": "a=b", "X-Forwarded-User": "admin", "Proxy-Authorization": "Basic YTpi"},
        ):
            assert await _status_of(running, "/api/v1/nodes", {**bearer, **headers}) == forbidden
        await _service_accounts_are_nobody_here(running)


async def _service_accounts_are_nobody_here(running: RunningPlatform) -> None:
    account = {"metadata": {"name": "default", "namespace": "lab"}, "spec": {"expirationSeconds": 3600}}
    made = await running.admin.create(SERVICE_ACCOUNTS, account, "lab", "token")
    headers = {"Authorization": f"Bearer {made['status']['token']}"}
    assert (await _status_of(running, "/api/v1/nodes", headers))[0] == 401


async def _status_of(running: RunningPlatform, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Code and the end of the message."""
    context = Connection("https://x", ca=running.platform.ca).ssl_context()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context or True)) as session,
        session.get(running.platform.url + PREFIX + path, headers=headers) as answer,
    ):
        message = (await answer.json())["message"]
        return answer.status, message.rpartition(": ")[2]


async def test_streams_end_with_the_session_the_membership_and_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SECONDS", 0.2)
    async with running_platform() as running:
        await _lab(running)
        carl = "carl@uni.example"
        await add_user(running, carl)
        await add_group(running, "readers", carl)
        await allow(running, "readers", "view", "lab", kind="Group")

        async def logs_out(opened: Opened) -> None:
            await sessions_in(running).close(opened.name)

        async def loses_the_group(_: Opened) -> None:
            await running.admin.patch(GROUPS, "readers", {"spec": {"members": []}})

        async def loses_the_role(_: Opened) -> None:
            await running.admin.delete(BINDINGS, "test-view-ben", "lab")

        for user, ends, error in (
            (carl, logs_out, Unauthorized),
            (carl, loses_the_group, Forbidden),
            (BEN, loses_the_role, Forbidden),
        ):
            opened = await signed_in(running, user)
            async with client_of(running, opened.access) as client:
                await _is_cut(running, client, lambda opened=opened, ends=ends: ends(opened))
                with pytest.raises(error):
                    await client.list(CONFIG_MAPS, "lab")


async def _is_cut(running: RunningPlatform, client: HttpClient, ends: Callable[[], Awaitable[None]]) -> None:
    """A watch that has told of something says no more."""
    listed = await client.list(CONFIG_MAPS, "lab")
    async with client.watch(CONFIG_MAPS, "lab", resource_version=listed.resource_version) as events:
        await running.admin.create(CONFIG_MAPS, {"metadata": {"generateName": "seen-"}}, "lab")
        assert (await anext(aiter(events))).type == "ADDED"
        await ends()
        async with asyncio.timeout(LIMIT):
            assert [one async for one in events if one.type != "BOOKMARK"] == []


async def test_one_person_has_so_many_streams_and_no_more(tmp_path: Path) -> None:
    async with running_platform(settings=Settings(streams_per_person=2)) as running:
        await _lab(running)
        anna, ben = await signed_in(running, ANNA), await signed_in(running, BEN)
        kubectl = kubectl_of(running, anna.access, tmp_path)
        async with client_of(running, anna.access) as client, client_of(running, ben.access) as other:
            now = (await client.list(CONFIG_MAPS, "lab")).resource_version
            watch = partial(HttpClient.watch, resource=CONFIG_MAPS, namespace="lab", resource_version=now)
            async with watch(client), watch(client):
                refused = kubectl.attempt("get", "configmaps", "--watch-only")
                await _is_refused(refused, f"{ANNA}, programs with tokens of theirs included, has 2 streams open")
                with pytest.raises(TooManyRequests):
                    async with watch(client):
                        pass
                await client.list(CONFIG_MAPS, "lab")
                async with watch(other):
                    pass

            async def are_free() -> bool:
                with suppress(TooManyRequests):
                    async with watch(client), watch(client):
                        return True
                return False

            await until(are_free, "the places of watches that ended")


async def _is_refused(attempt: Awaitable[Done], text: str) -> None:
    done = await attempt
    assert done.code != 0
    assert text in done.err
