"""Pods from their creation to their end on a real containerd."""

from __future__ import annotations

import time

import pytest

from tests.component.node.node import Node, pod, ready, status_of

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


async def test_runs_and_is_deleted(node: Node) -> None:
    began = time.monotonic()
    await node.create(pod("web"))
    running = await node.until("web", ready)
    print(f"running after {time.monotonic() - began:.3f} s")
    assert running["status"]["phase"] == "Running"
    assert running["status"]["podIP"].startswith("10.251.40.")
    assert status_of(running)["restartCount"] == 0
    reasons = [reason for reason, _ in await node.events("web")]
    assert {"Pulled", "Created", "Started"} <= set(reasons)
    began = time.monotonic()
    await node.delete("web")
    await node.until_gone("web")
    print(f"gone after {time.monotonic() - began:.3f} s")
    assert "Killing" in [reason for reason, _ in await node.events("web")]
