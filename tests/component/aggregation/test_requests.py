"""Requests for what an extension API server has: who it hears of, what comes back."""

from __future__ import annotations

import asyncio
import contextlib

import orjson
import pytest

from skerry.engine.api import server
from skerry.kube.errors import NotFound, ServiceUnavailable
from skerry.kube.resources import API_SERVICES
from tests.component.aggregation.conftest import FLUNDERS, NAME, Wardle
from tests.support.extension_server import ROOT, Running
from tests.support.kubectl import Kubectl
from tests.unit.api.raw_http import connect, send

FLUNDER = {"apiVersion": "wardle.example.com/v1alpha1", "kind": "Flunder", "metadata": {"name": "one"}}


async def test_kubectl_works_with_its_objects(wardle: Wardle, flunders: Running, kubectl: Kubectl) -> None:
    await kubectl("create", "-f", "-", stdin=orjson.dumps({**FLUNDER, "spec": {"reference": "a"}}).decode())
    assert (await kubectl("get", "flunders", "-o", "name")).out == "flunder.wardle.example.com/one\n"
    assert (await kubectl("get", "fl", "one", "-o", "jsonpath={.spec.reference}")).out == "a"
    await kubectl("patch", "flunder", "one", "--type=merge", "-p", '{"spec": {"reference": "b"}}')
    watching = await kubectl.start("get", "flunders", "-w", "-o", "name")
    assert watching.stdout is not None
    async with asyncio.timeout(120):
        assert await watching.stdout.readline() == b"flunder.wardle.example.com/one\n"
        await kubectl("label", "flunder", "one", "a=b")
        assert await watching.stdout.readline() == b"flunder.wardle.example.com/one\n"
    watching.kill()
    await watching.communicate()
    await kubectl("delete", "flunder", "one")
    assert "NotFound" in (await kubectl.attempt("get", "flunder", "one")).err


async def test_the_server_hears_who_asks_and_nobody_can_pretend(wardle: Wardle, flunders: Running) -> None:
    api = wardle.world.api
    flunders.seen.clear()
    answer = await send(
        api, "GET", f"{ROOT}/flunders", x_remote_user="eve", x_remote_group="eves", x_remote_extra_a="b",
        impersonate_user="jane", impersonate_group="readers", impersonate_extra_a_2fb="c", authorization="Bearer none",
    )  # fmt: skip
    assert answer.code == 403  # jane may not
    answer = await send(
        api, "GET", f"{ROOT}/flunders", x_remote_user="eve", x_remote_extra_a="b", x_remote_group="eves"
    )
    assert answer.code == 200
    assert answer.json["kind"] == "FlunderList"
    (seen,) = [one for one in flunders.seen if one["path"] == f"{ROOT}/flunders"]
    assert seen["user"] == "kubernetes-admin"
    assert seen["groups"] == ["system:masters", "system:authenticated"]
    names = [name for name, _ in seen["headers"]]
    assert "authorization" not in names
    assert "x-remote-extra-a" not in names
    assert "x-remote-extra-authentication.kubernetes.io%2fcredential-id" in names


async def test_impersonated_users_are_passed_on_as_themselves(wardle: Wardle, flunders: Running) -> None:
    flunders.seen.clear()
    as_jane = {"impersonate_user": "jane", "impersonate_uid": "17", "impersonate_group": "system:masters"}
    answer = await send(wardle.world.api, "GET", f"{ROOT}/flunders", impersonate_extra_reason="test", **as_jane)
    assert answer.code == 200
    (seen,) = [one for one in flunders.seen if one["path"] == f"{ROOT}/flunders"]
    headers = dict(seen["headers"])
    assert (seen["user"], headers["x-remote-uid"], headers["x-remote-extra-reason"]) == ("jane", "17", "test")
    assert not [name for name in headers if name.startswith("impersonate-")]


async def test_clients_of_this_process_reach_it_too(wardle: Wardle, flunders: Running) -> None:
    client = wardle.world.client
    made = await client.create(FLUNDERS, FLUNDER, "default")
    assert made["metadata"]["namespace"] == "default"
    listed = await client.list(FLUNDERS, "default")
    assert [one["metadata"]["name"] for one in listed.items] == ["one"]
    async with client.watch(FLUNDERS, "default", resource_version=listed.resource_version) as events:
        await client.patch(FLUNDERS, "one", {"metadata": {"labels": {"a": "b"}}}, "default")
        event = await anext(events)
        assert (event.type, event.object["metadata"]["labels"]) == ("MODIFIED", {"a": "b"})
    await client.delete(FLUNDERS, "one", "default")
    with pytest.raises(NotFound, match="not found"):
        await client.get(FLUNDERS, "one", "default")


async def test_refused_with_503_while_the_server_is_away_and_404_once_the_api_service_is(
    wardle: Wardle, flunders: Running
) -> None:
    api, client = wardle.world.api, wardle.world.client
    await client.patch(API_SERVICES, NAME, {"spec": {"service": {"name": "none"}}})
    await wardle.until_reason("ServiceNotFound")
    answer = await send(api, "GET", f"{ROOT}/flunders")
    assert (answer.code, answer.json["reason"]) == (503, "ServiceUnavailable")
    assert (await send(api, "GET", ROOT)).code == 503
    with pytest.raises(ServiceUnavailable):
        await client.list(FLUNDERS)
    await client.delete(API_SERVICES, NAME)
    await wardle.world.until(lambda: not api.server.registry.is_elsewhere(FLUNDERS.group, FLUNDERS.version), 60)
    assert (await send(api, "GET", f"{ROOT}/flunders")).code == 404


async def test_authorisation_is_ours(wardle: Wardle, flunders: Running, kubectl: Kubectl) -> None:
    await kubectl("create", "clusterrole", "readers", "--verb=get,list", "--resource=flunders.wardle.example.com")
    await kubectl("create", "rolebinding", "readers", "--clusterrole=readers", "--user=jane")
    await kubectl("get", "flunders", "--as=jane")
    refused = await kubectl.attempt("delete", "flunder", "one", "--as=jane")
    assert 'User "jane" cannot delete resource "flunders" in API group "wardle.example.com"' in refused.err
    assert (await kubectl("auth", "can-i", "list", "flunders", "--as=jane")).out == "yes\n"
    assert (await kubectl.attempt("auth", "can-i", "watch", "flunders", "--as=jane")).out == "no\n"


async def test_a_stream_that_never_ends_does_not_hold_up_the_servers_end(
    wardle: Wardle, flunders: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_GRACE", 3600.0)
    api = wardle.world.api
    reader, writer = await connect(api)
    writer.write(f"GET {ROOT}/flunders?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    async with asyncio.timeout(120):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        await api.server.stop()
        with contextlib.suppress(OSError):  # a client that is slow to say goodbye is cut off
            assert await reader.read(-1) == b""
    writer.close()
