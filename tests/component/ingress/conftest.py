"""Every test has a network of its own, and runs with the Caddy that comes with Skerry; some also with Debian's."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from skerry.engine.network.ingress import program
from tests.component.network.netns import own_network

DEBIANS = "/usr/bin/caddy"


@pytest.fixture(autouse=True)
def host() -> Iterator[None]:
    assert os.geteuid() == 0, "needs root"
    with own_network():
        yield


@pytest.fixture(params=["ours", "debian"])
def either_caddy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test twice."""
    if request.param == "debian":
        if not os.path.exists(DEBIANS):
            pytest.skip("Debian's caddy is not installed")
        monkeypatch.setattr(program, "find_caddy", lambda: DEBIANS)
    return str(request.param)
