"""Requests through the real Caddy, as Ingresses ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.component.ingress.world import path, rule, running_ingress
from tests.component.network.netns import own_network

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def host() -> Iterator[None]:
    assert os.geteuid() == 0, "needs root"
    with own_network():
        yield


async def test_a_host_leads_to_its_service() -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        await ingress.create("web", rule("web.example.com", path("/", "web")))
        answer = await ingress.answers("web.example.com", "/some?q=1", "web")
        assert answer.told["target"] == "/some?q=1"
        unknown = await ingress.ask("other.example.com")
        assert unknown.status == 404
        assert b"No Ingress" in unknown.body
        await ingress.event("Sync", "served")
