"""Proxied requests: where they go, what is sent, and how links in the answer lead back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from skerry.engine.api.http.routes import before_proxied, proxied_part
from skerry.engine.api.response import BrokenOff, Raw, Response, Streamed, Upgraded
from skerry.engine.api.subresources.proxy.forwarding import Outgoing, forward, forwarded_headers, sent_headers
from skerry.engine.api.subresources.proxy.locating import (
    Backend,
    backend_of,
    endpoint_authority,
    pod_authority,
    port_name,
)
from skerry.engine.api.subresources.proxy.rewriting import Proxied, rewritten, rewritten_html
from skerry.engine.api.subresources.proxy.upgrading import upgrade
from skerry.kube.errors import BadRequest, ServiceUnavailable
from skerry.kube.objects import Obj

PREFIX = "/api/v1/namespaces/x/pods/web:80/proxy"
PROXIED = Proxied("https", "api:6443", PREFIX, "10.0.0.5:80")


@pytest.mark.parametrize(
    ("path", "ours", "rest"),
    [
        (f"{PREFIX}/a//b%2Fc/", PREFIX, "/a//b%2Fc/"),
        (PREFIX, PREFIX, ""),
        ("/api/v1/nodes/n:10250/proxy/pods", "/api/v1/nodes/n:10250/proxy", "/pods"),
        ("/api/v1/namespaces/x/services/https:web:/proxy/", "/api/v1/namespaces/x/services/https:web:/proxy", "/"),
        ("/api/v1/namespaces/x/configmaps/proxy", "/api/v1/namespaces/x/configmaps/proxy", ""),
        ("/api/v1/namespaces/x/pods/proxy/log", "/api/v1/namespaces/x/pods/proxy/log", ""),
    ],
)
def test_what_follows_proxy_is_the_backends(path: str, ours: str, rest: str) -> None:
    assert before_proxied(path.encode()) == ours.encode()
    assert proxied_part(path) == (ours, rest)


def test_names_with_scheme_and_port() -> None:
    assert backend_of("web", "pod") == Backend("http", "web", "")
    assert backend_of("web:8080", "pod") == Backend("http", "web", "8080")
    assert backend_of("https:web:tls", "service") == Backend("https", "web", "tls")
    for wrong in ("ftp:web:80", "a:b:c:d", ":80"):
        with pytest.raises(BadRequest, match=f'invalid pod request "{wrong}"'):
            backend_of(wrong, "pod")


def pod(ip: str) -> Obj:
    containers = [{"name": "a"}, {"name": "b", "ports": [{"containerPort": 8000}, {"containerPort": 9000}]}]
    return {"spec": {"containers": containers}, "status": {"podIPs": [{"ip": ip}] if ip else []}}


def test_a_pod_is_reached_at_its_first_declared_port() -> None:
    assert pod_authority(pod("10.0.0.5"), Backend("http", "web", "")) == "10.0.0.5:8000"
    assert pod_authority(pod("10.0.0.5"), Backend("http", "web", "81")) == "10.0.0.5:81"
    assert pod_authority(pod("fd00::5"), Backend("http", "web", "81")) == "[fd00::5]:81"


@pytest.mark.parametrize("ip", ["", "127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1"])
def test_the_machine_itself_is_no_pod(ip: str) -> None:
    with pytest.raises(BadRequest, match="address not allowed"):
        pod_authority(pod(ip), Backend("http", "web", "80"))


def test_a_service_is_reached_at_a_ready_endpoint() -> None:
    service: Obj = {"spec": {"ports": [{"name": "web", "port": 80}, {"name": "admin", "port": 81}]}}
    subset = {"addresses": [{"ip": "10.0.0.7"}], "ports": [{"name": "web", "port": 8080}]}
    assert port_name(service, Backend("http", "s", "80")) == "web"
    assert endpoint_authority({"subsets": [subset]}, "web", "s") == "10.0.0.7:8080"
    with pytest.raises(ServiceUnavailable, match='no service port 99 found for service "s"'):
        port_name(service, Backend("http", "s", "99"))
    for endpoints, port in ((None, "web"), ({"subsets": [subset]}, "admin")):
        with pytest.raises(ServiceUnavailable, match='no endpoints available for service "s"'):
            endpoint_authority(endpoints, port, "s")


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("/next?x=1#y", f"{PREFIX}/next?x=1#y"),
        ("http://10.0.0.5:80/next", f"https://api:6443{PREFIX}/next"),
        (f"{PREFIX}/next", f"{PREFIX}/next"),
        ("http://elsewhere/next", "http://elsewhere/next"),
        ("relative/next", "relative/next"),
        ("#part", "#part"),
    ],
)
def test_links_lead_back_through_the_proxy(link: str, wanted: str) -> None:
    assert rewritten(link, PROXIED) == wanted


def test_pages_have_their_links_rewritten_and_nothing_else() -> None:
    page = "<a class='/x' href='/rewriteme'>test</a><IMG src=/a.png><p title=\"/p\">/text</p>"
    assert rewritten_html(page, PROXIED) == (
        f'<a class=\'/x\' href="{PREFIX}/rewriteme">test</a><IMG src="{PREFIX}/a.png"><p title="/p">/text</p>'
    )


def test_credentials_and_connection_headers_stay_behind() -> None:
    given = [(b"authorization", b"Bearer secret"), (b"connection", b"x-own"), (b"x-own", b"1"), (b"accept", b"*/*")]
    assert sent_headers([*given, (b"x-forwarded-for", b"1.2.3.4")], "5.6.7.8") == [
        ("accept", "*/*"),
        ("x-forwarded-for", "1.2.3.4, 5.6.7.8"),
    ]


@asynccontextmanager
async def backend(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that says `answer` to everything; its address and what it was told."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((line.split(b":")[1] for line in head.lower().split(b"\r\n") if b"content-length" in line), b"0")
        heard.append(head + await reader.readexactly(int(length)))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


async def whole(response: Response) -> bytes:
    if isinstance(response, Raw):
        return response.body
    assert isinstance(response, Streamed)
    return b"".join([chunk async for chunk in response.chunks])


async def test_method_body_and_answer_pass_through() -> None:
    answer = b"HTTP/1.1 418 Teapot\r\nx-kind: pot\r\ncontent-type: text/tea\r\ncontent-length: 3\r\n\r\ntea"
    async with backend(answer) as (address, heard):
        sent = Outgoing("PATCH", f"http://{address}/a%2Fb?c=d", [("x-a", "b")], b"body", PROXIED)
        response = await forward(sent)
        assert isinstance(response, Streamed)
        assert (response.code, response.content_type, response.headers) == (418, "text/tea", [("x-kind", "pot")])
        assert await whole(response) == b"tea"
    assert heard[0].startswith(b"PATCH /a%2Fb?c=d HTTP/1.1\r\n")
    assert heard[0].endswith(b"\r\n\r\nbody")
    assert b"x-a: b" in heard[0].lower()


async def test_redirects_come_back_rewritten() -> None:
    async with backend(b"HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n") as (address, _):
        response = await forward(Outgoing("GET", f"http://{address}/", [], b"", PROXIED))
        assert isinstance(response, Streamed)
        headers = {name.lower(): value for name, value in response.headers}
        assert (response.code, headers["location"]) == (302, f"{PREFIX}/login")
        await whole(response)


async def test_nobody_there() -> None:
    async with backend(b"") as (address, _):
        pass
    with pytest.raises(ServiceUnavailable, match="error trying to reach service"):
        await forward(Outgoing("GET", f"http://{address}/", [], b"", PROXIED))


async def test_a_backend_is_told_where_the_client_finds_it() -> None:
    assert forwarded_headers(PROXIED, "/a/") == [
        ("x-forwarded-uri", f"{PREFIX}/a/"),
        ("x-forwarded-host", "api:6443"),
        ("x-forwarded-proto", "https"),
    ]
    given = [(b"x-forwarded-host", b"evil"), (b"impersonate-user", b"root"), (b"host", b"api:6443")]
    assert sent_headers(given, "") == [("host", "api:6443")]


async def test_another_protocol_when_the_backend_agrees() -> None:
    answer = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: own\r\nconnection: Upgrade\r\nx-a: b\r\n\r\nhello"
    async with backend(answer) as (address, heard):
        sent = Outgoing("GET", f"http://{address}/a%2Fb?c=d", [("host", "api")], b"", PROXIED)
        response = await upgrade(sent, "own")
        assert isinstance(response, Upgraded)
        assert dict(response.headers) == {"upgrade": "own", "connection": "Upgrade", "x-a": "b"}
        assert response.begun + await response.reader.read(-1) == b"hello"
        response.writer.close()
        await response.writer.wait_closed()
    assert heard[0] == b"GET /a%2Fb?c=d HTTP/1.1\r\nhost: api\r\nconnection: Upgrade\r\nupgrade: own\r\n\r\n"


async def test_what_a_backend_says_that_does_not_agree() -> None:
    answer = b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/x\r\nx-a: b\r\ncontent-length: 2\r\n\r\nno"
    async with backend(answer) as (address, _):
        response = await upgrade(Outgoing("GET", f"http://{address}/", [], b"", PROXIED), "websocket")
    assert response == Raw(b"no", "text/x", 403, {"x-a": "b"})
    for nothing in (b"", b"nonsense\r\n\r\n"):
        async with backend(nothing) as (address, _):
            with pytest.raises(ServiceUnavailable, match="error trying to reach service"):
                await upgrade(Outgoing("GET", f"http://{address}/", [], b"", PROXIED), "websocket")


async def test_an_answer_that_breaks_off_is_not_taken_for_the_whole() -> None:
    async with backend(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf") as (address, _):
        response = await forward(Outgoing("GET", f"http://{address}/", [], b"", PROXIED))
        with pytest.raises(BrokenOff):
            await whole(response)
