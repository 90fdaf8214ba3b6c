"""What of a request passes the gateway."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.errors import Forbidden, NotFound
from skerry.platform.identity.gateway.asking import (
    asked_of,
    protocols_for,
    returned_headers,
    target_of,
    token_of,
)
from skerry.platform.identity.sessions.judging import Person

PROGRAM = Person("skerry:program:p-1", ("skerry:project:lidar:editor",), "p-1", "Program", made_by="anna")
IDENTITY = [
    ("Impersonate-User", "skerry:program:p-1"),
    ("Impersonate-Group", "skerry:project:lidar:editor"),
    ("Impersonate-Extra-skerry.dev%2Fsession", "p-1"),
    ("Impersonate-Extra-skerry.dev%2Fmade-by", "anna"),
]
_NAMES = st.sampled_from(
    ["authorization", "x-remote-user", "x-remote-group", "x-remote-extra-scopes", "cookie", "x-forwarded-for",
     "proxy-authorization", "connection", "upgrade", "transfer-encoding", "sec-websocket-protocol", "accept", "host",
     "user-agent", "content-type", "forwarded", "te", "keep-alive"]
)  # fmt: skip
_PASS = {"accept", "user-agent", "content-type"}


def _sent(*headers: tuple[str, str]) -> list[tuple[str, str]]:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return list(asked_of(PROGRAM, "GET", "/api", raw, "").headers)


@given(st.lists(st.tuples(_NAMES, st.sampled_from(["admin", "system:masters", "Bearer x"])), max_size=8))
def test_nothing_that_could_say_who_asks_passes(headers: list[tuple[str, str]]) -> None:
    passed = _sent(*headers)
    assert passed[-4:] == IDENTITY
    assert {name for name, _ in passed[:-4]} <= _PASS


@pytest.mark.parametrize(
    ("headers", "has_body", "passed"),
    [
        ([(b"content-length", b"3")], True, [("content-length", "3")]),
        ([(b"transfer-encoding", b"chunked")], True, []),
        ([(b"content-length", b"0")], False, []),
        ([(b"content-length", b"3"), (b"upgrade", b"WebSocket")], False, []),
    ],
)
def test_a_length_is_told_of_what_is_sent_only(
    headers: list[tuple[bytes, bytes]], has_body: bool, passed: list[tuple[str, str]]
) -> None:
    asked = asked_of(PROGRAM, "POST", "/api", headers, "")
    assert (asked.has_body, list(asked.headers)) == (has_body, [*passed, *IDENTITY])


@pytest.mark.parametrize("name", ["impersonate-user", "Impersonate-Group", "IMPERSONATE-EXTRA-x", "impersonate-uid"])
def test_acting_as_somebody_else_is_refused(name: str) -> None:
    with pytest.raises(Forbidden, match="--as"):
        _sent((name, "admin"))


@pytest.mark.parametrize(
    ("raw", "query", "target"),
    [
        (b"/k8s/api/v1/pods", b"watch=1", "/api/v1/pods?watch=1"),
        (b"/k8s/", b"", "/"),
        (b"/k8s/api/v1/namespaces/a%2Fb/x", b"", "/api/v1/namespaces/a%2Fb/x"),
        (b"/k8s//evil.example/", b"", "//evil.example/"),
    ],
)
def test_the_way_to_the_api_is_the_path_below_the_prefix(raw: bytes, query: bytes, target: str) -> None:
    assert target_of(raw, query) == target


@pytest.mark.parametrize(
    "raw", [b"/k8s", b"/%6b8s/api", b"/k8%73/api", b"/k8s@evil.example/", b"/k8s:1/", b"//k8s/api"]
)
def test_a_prefix_in_disguise_leads_nowhere(raw: bytes) -> None:
    with pytest.raises(NotFound, match="below /k8s/"):
        target_of(raw, b"")


def test_tokens_are_bearers_or_protocols_of_browsers() -> None:
    assert token_of([(b"authorization", b"bearer  sky_a")]) == "sky_a"
    assert token_of([(b"authorization", b"Basic sky_a")]) == ""
    protocols = ["v5.channel.k8s.io", "base64url.bearer.authorization.k8s.io.c2t5X2E"]
    assert token_of([], protocols) == "sky_a"
    assert protocols_for(protocols) == ["v5.channel.k8s.io"]
    assert token_of([], ["base64url.bearer.authorization.k8s.io.!"]) == ""


def test_answers_bring_no_cookies_and_redirects_stay_here() -> None:
    given_back = returned_headers(
        [("Location", "/api/v1/x/"), ("Set-Cookie", "a=b"), ("Content-Length", "3"), ("Connection", "close")]
    )
    assert given_back == [(b"location", b"/k8s/api/v1/x/"), (b"content-length", b"3")]
    assert returned_headers([("Location", "//elsewhere/")]) == [(b"location", b"//elsewhere/")]
