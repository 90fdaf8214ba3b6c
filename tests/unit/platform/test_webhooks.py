"""The route that answers reviews: for whoever knows its key, and never an open door."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from starlette.requests import Request

from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.program.webhooks import admission_route

KEY = "the-key"
REVIEW: dict[str, Any] = {
    "request": {
        "uid": "u1",
        "operation": "CREATE",
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": "lidar",
        "name": "web",
        "userInfo": {"username": "anna", "groups": ["a"]},
        "object": {"metadata": {"name": "web"}},
    }
}


async def ask(judge: Any, body: Any = REVIEW, *, key: str = KEY, hook: str = "guard") -> tuple[int, Any]:
    sent = asyncio.Queue[dict[str, Any]]()
    sent.put_nowait({"type": "http.request", "body": orjson.dumps(body)})
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/admission/{key}/{hook}",
        "headers": [],
        "path_params": {"key": key, "hook": hook},
    }
    route = admission_route([Hook("guard", judge, ())], KEY)
    answer = await route.endpoint(Request(scope, sent.get))
    return answer.status_code, orjson.loads(answer.body) if answer.status_code == 200 else sent.qsize()


async def admit(review: Review) -> Verdict:
    assert (review.user, review.namespace, review.object["metadata"]["name"]) == ("anna", "lidar", "web")
    return ADMITTED


async def test_an_answer_is_that_of_the_hook() -> None:
    code, answer = await ask(admit)
    assert (code, answer["response"]) == (200, {"uid": "u1", "allowed": True})

    async def refuse(_: Review) -> Verdict:
        return Verdict("not today", warnings=["soon"])

    _, answer = await ask(refuse)
    status = {"code": 403, "reason": "Forbidden", "message": "not today"}
    assert answer["response"] == {"uid": "u1", "allowed": False, "status": status, "warnings": ["soon"]}


@pytest.mark.parametrize(("key", "hook"), [("another", "guard"), ("the-kéy", "guard"), (KEY, "nothing")])
async def test_without_the_key_nothing_is_read(key: str, hook: str) -> None:
    code, unread = await ask(admit, key=key, hook=hook)
    assert (code, unread) == (404, 1)


async def test_a_failure_is_a_refusal() -> None:
    async def fail(_: Review) -> Verdict:
        raise RuntimeError("a secret")

    _, answer = await ask(fail)
    assert (answer["response"]["allowed"], answer["response"]["status"]["code"]) == (False, 500)
    assert "a secret" not in answer["response"]["status"]["message"]


@pytest.mark.parametrize("body", [[], {}, {"request": {}}, {"request": {"uid": "x"}}])
async def test_what_is_no_review_is_told(body: Any) -> None:
    code, _ = await ask(admit, body)
    assert code == 400
