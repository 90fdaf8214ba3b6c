"""HttpClient against a small real HTTP server: what goes over the wire, watches cut anywhere, errors, retries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from skerry.kube.client import Selection, WatchEvent
from skerry.kube.errors import BadRequest, Expired, Forbidden, InternalError, NotFound, TooManyRequests, not_found
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import Connection
from skerry.kube.resources import CONFIG_MAPS, DEPLOYMENTS, NODES, PODS
from tests.support.waiting import LIMIT

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """A server that records requests and answers with what the test put in `answer`."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.answer: Answer = _empty
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await self.answer(request)

    @property
    def last(self) -> web.Request:
        return self.requests[-1]

    def client(self, **fields: object) -> HttpClient:
        return HttpClient(Connection(server=self.url, **fields), timeout=60)  # type: ignore[arg-type]


async def _empty(_request: web.Request) -> web.StreamResponse:
    return web.json_response({})


def _lines(*pieces: bytes) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.005)
        return response

    return answer


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    served = Api()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", served.handle)
    async with TestServer(application) as server:
        served.url = str(server.make_url("")).rstrip("/")
        yield served


async def test_get_asks_for_the_path_of_the_object(api: Api) -> None:
    async with api.client() as client:
        await client.get(DEPLOYMENTS, "web", "shop", "scale")
        assert api.last.path == "/apis/apps/v1/namespaces/shop/deployments/web/scale"
        await client.get(NODES, "n1")
        assert api.last.path == "/api/v1/nodes/n1"


async def test_names_do_not_reach_into_other_paths(api: Api) -> None:
    async with api.client() as client:
        await client.get(CONFIG_MAPS, "../secrets/x?y#z", "a")
    assert api.last.raw_path == "/api/v1/namespaces/a/configmaps/..%2Fsecrets%2Fx%3Fy%23z"


async def test_list_sends_selectors_and_chunks_and_gives_items_their_kind(api: Api) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        metadata = {"resourceVersion": "7", "continue": "next"}
        return web.json_response({"metadata": metadata, "items": [{"metadata": {"name": "a"}}]})

    api.answer = answer
    async with api.client() as client:
        listed = await client.list(PODS, "x", Selection("app=a b", "status.phase=Running"), limit=5, next_token="t")
    assert dict(api.last.query) == {
        "labelSelector": "app=a b", "fieldSelector": "status.phase=Running", "limit": "5", "continue": "t"
    }  # fmt: skip
    assert (listed.resource_version, listed.next_token) == ("7", "next")
    assert listed.items == [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}]


async def test_writes_send_bodies_types_and_the_field_manager(api: Api) -> None:
    pod = {"metadata": {"name": "p", "namespace": "x"}}
    async with api.client() as client:
        await client.create(PODS, pod)
        assert (api.last.method, api.last.path) == ("POST", "/api/v1/namespaces/x/pods")
        assert api.last.query["fieldManager"] == "skerry"
        await client.create(PODS, pod, "x", "binding")
        assert api.last.path == "/api/v1/namespaces/x/pods/p/binding"
        await client.update(PODS, pod, "status")
        assert (api.last.method, api.last.path) == ("PUT", "/api/v1/namespaces/x/pods/p/status")
        assert orjson.loads(api.bodies[-1]) == pod
        await client.delete(PODS, "p", "x", {"gracePeriodSeconds": 0})
        assert api.last.method == "DELETE"
        assert orjson.loads(api.bodies[-1])["gracePeriodSeconds"] == 0


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("merge", "application/merge-patch+json"),
        ("strategic", "application/strategic-merge-patch+json"),
        ("apply", "application/apply-patch+yaml"),
    ],
)
async def test_each_patch_has_its_content_type(api: Api, kind: str, content_type: str) -> None:
    async with api.client() as client:
        await client.patch(PODS, "p", {"a": 1}, "x", kind=kind)  # type: ignore[arg-type]
    assert api.last.content_type == content_type
    assert api.last.query.get("force") == ("true" if kind == "apply" else None)


async def test_a_list_is_a_json_patch(api: Api) -> None:
    async with api.client() as client:
        await client.patch(PODS, "p", [{"op": "remove", "path": "/a"}], "x")
    assert api.last.content_type == "application/json-patch+json"


async def test_a_status_becomes_its_exception(api: Api) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(not_found("pods", "p").to_json(), status=404)

    api.answer = answer
    async with api.client() as client:
        with pytest.raises(NotFound, match='pods "p" not found') as caught:
            await client.get(PODS, "p", "x")
    assert caught.value.details["name"] == "p"


async def test_an_error_that_is_no_status_keeps_its_text(api: Api) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=403, text="proxy says no")

    api.answer = answer
    async with api.client() as client:
        with pytest.raises(Forbidden, match="proxy says no"):
            await client.get(PODS, "p", "x")


async def test_watch_survives_cuts_anywhere_and_ends_in_order(api: Api) -> None:
    events = [{"type": "ADDED", "object": {"n": "ä" * 9}}, {"type": "BOOKMARK", "object": {"n": 2}}]
    body = b"".join(orjson.dumps(event) + b"\n" for event in events)
    api.answer = _lines(*(body[at : at + 11] for at in range(0, len(body), 11)))
    async with api.client() as client, client.watch(PODS, "x", resource_version="5") as watching:
        seen = [event async for event in watching]
    assert seen == [WatchEvent("ADDED", {"n": "ä" * 9}), WatchEvent("BOOKMARK", {"n": 2})]
    assert api.last.query["resourceVersion"] == "5"
    assert api.last.query["watch"] == api.last.query["allowWatchBookmarks"] == "true"


async def test_watch_events_larger_than_any_buffer(api: Api) -> None:
    body = orjson.dumps({"type": "ADDED", "object": {"data": "x" * 3_000_000}}) + b"\n"
    api.answer = _lines(body)
    async with api.client() as client, client.watch(PODS, resource_version="5") as watching:
        seen = [event async for event in watching]
    assert len(seen[0].object["data"]) == 3_000_000


async def test_history_too_old_is_expired_as_an_answer_and_as_an_event(api: Api) -> None:
    status = Expired("too old resource version: 1 (9)").to_json()
    api.answer = _lines(orjson.dumps({"type": "ERROR", "object": status}) + b"\n")
    async with api.client() as client:
        with pytest.raises(Expired):
            async with client.watch(PODS, resource_version="1") as watching:
                await anext(watching)

        async def gone(_: web.Request) -> web.StreamResponse:
            return web.json_response(status, status=410)

        api.answer = gone
        with pytest.raises(Expired):
            async with client.watch(PODS, resource_version="1"):
                pass


async def test_leaving_a_watch_closes_its_connection(api: Api) -> None:
    left = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"type":"ADDED","object":{}}\n')
        try:
            await asyncio.Event().wait()
        finally:  # this server cancels the handler of a connection that is gone
            left.set()
        return response

    api.answer = endless
    async with api.client() as client:
        async with client.watch(PODS, resource_version="1") as watching:
            await anext(watching)
        await asyncio.wait_for(left.wait(), LIMIT)


async def test_answers_with_retry_after_are_tried_again(api: Api) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        if len(api.requests) < 3:
            return web.Response(status=429, headers={"Retry-After": "0"})
        return web.json_response({"ok": True})

    api.answer = answer
    async with api.client() as client:
        assert await client.create(PODS, {"metadata": {"name": "p"}}, "x") == {"ok": True}
    assert len(api.requests) == 3


async def test_retries_end(api: Api) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "0"})

    api.answer = answer
    async with api.client() as client:
        with pytest.raises(TooManyRequests):
            await client.get(PODS, "p", "x")
    assert len(api.requests) == 10


async def test_server_errors_without_retry_after_are_final(api: Api) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    api.answer = answer
    async with api.client() as client:
        with pytest.raises(InternalError):
            await client.get(PODS, "p", "x")
    assert len(api.requests) == 1


@pytest.mark.parametrize(("name", "namespace"), [(".", "x"), ("..", "x"), ("p", ".."), ("p", "."), ("", "x")])
async def test_what_is_no_name_does_not_mean_all_of_them(api: Api, name: str, namespace: str) -> None:
    async with api.client() as client:
        with pytest.raises(BadRequest):
            await client.delete(PODS, name, namespace)
        with pytest.raises(BadRequest):
            await client.get(PODS, name, namespace)
    assert api.requests == []


async def test_no_server_is_an_os_error() -> None:
    async with HttpClient(Connection(server="http://127.0.0.1:1")) as client:
        with pytest.raises(OSError, match=r"127\.0\.0\.1"):
            await client.get(PODS, "p", "x")


async def test_a_connection_cut_in_an_answer_is_an_os_error(api: Api) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    api.answer = cut
    async with api.client() as client:
        with pytest.raises(OSError):
            await client.create(PODS, {"metadata": {"name": "p"}}, "x")


async def test_a_silent_server_is_a_time_out(api: Api) -> None:
    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    api.answer = silent
    async with HttpClient(Connection(server=api.url), timeout=0.1) as client:
        with pytest.raises(TimeoutError):
            await client.get(PODS, "p", "x")


async def test_tokens_go_along_and_rotate(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    monkeypatch.setattr("skerry.kube.http_client._TOKEN_SECONDS", 0.0)
    async with api.client(token_file=file) as client:
        await client.get(NODES, "n")
        assert api.last.headers["Authorization"] == "Bearer one"
        file.write_text("two")
        await client.get(NODES, "n")
        assert api.last.headers["Authorization"] == "Bearer two"


async def test_acting_as_somebody_impersonates(api: Api) -> None:
    async with api.client() as client:
        await client.acting_as("anna", ["a", "b"]).get(NODES, "n")
        assert api.last.headers["Impersonate-User"] == "anna"
        assert api.last.headers.getall("Impersonate-Group") == ["a", "b"]
        await client.get(NODES, "n")
        assert "Impersonate-User" not in api.last.headers
