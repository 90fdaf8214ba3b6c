"""Statuses on their way to the API: changes only, the latest wins, never to a successor."""

from __future__ import annotations

import asyncio
from typing import Any

from skerry.engine.node.status.writer import StatusWriter
from skerry.kube.errors import Conflict, InternalError, NotFound, StatusError
from skerry.kube.objects import Obj
from tests.unit.node.views import pod


class Api:
    """Takes patches; fails as told."""

    def __init__(self, *failures: StatusError, uid: str = "u1") -> None:
        self.patches: list[Obj] = []
        self.failures = list(failures)
        self.uid = uid
        self.gate = asyncio.Event()
        self.gate.set()

    async def patch(self, resource: Any, name: str, patch: Obj, namespace: str, **options: Any) -> Obj:
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        assert options["subresource"] == "status"
        self.patches.append(patch)
        return patch

    async def get(self, resource: Any, name: str, namespace: str) -> Obj:
        return {"metadata": {"uid": self.uid}}


def writer(api: Api) -> StatusWriter:
    return StatusWriter(api)  # type: ignore[arg-type]


async def test_only_changes_are_written() -> None:
    api = Api()
    statuses = writer(api)
    for phase in ("Pending", "Pending", "Running"):
        statuses.set(pod(), {"phase": phase, "reason": None})
        await statuses.flush("u1")
    statuses.set(pod(), {"phase": "Running"})
    await statuses.flush("u1")
    assert [patch["status"]["phase"] for patch in api.patches] == ["Pending", "Running"]
    assert api.patches[0]["metadata"] == {"uid": "u1"}


async def test_what_the_api_has_is_not_written() -> None:
    api = Api()
    statuses = writer(api)
    statuses.set(pod(status={"phase": "Running"}), {"phase": "Running", "message": None})
    await statuses.flush("u1")
    assert api.patches == []


async def test_latest_wins() -> None:
    api = Api()
    statuses = writer(api)
    api.gate.clear()
    for number in range(5):
        statuses.set(pod(), {"phase": str(number)})
        await asyncio.sleep(0)
    assert statuses.last("u1") == {"phase": "4"}
    api.gate.set()
    await statuses.flush("u1")
    assert [patch["status"]["phase"] for patch in api.patches] == ["0", "4"]


async def test_failures_are_tried_again() -> None:
    api = Api(InternalError("down"), Conflict("raced"))
    statuses = writer(api)
    statuses.set(pod(), {"phase": "Running"})
    await statuses.flush("u1")
    assert len(api.patches) == 1


async def test_gone_pods_are_given_up() -> None:
    for api in (Api(NotFound("gone")), Api(Conflict("another uid"), uid="u2")):
        statuses = writer(api)
        statuses.set(pod(), {"phase": "Running"})
        await statuses.flush("u1")
        assert api.patches == []


async def test_forgotten_pod_is_not_remembered() -> None:
    statuses = writer(Api())
    statuses.set(pod(), {"phase": "Running"})
    await statuses.flush("u1")
    statuses.forget("u1")
    assert statuses.last("u1") is None
