"""What the node tells of its images: what came is told of when it came, not with the next heartbeat."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from skerry.engine.node import heartbeat
from skerry.engine.node.containerd import images
from skerry.kube.objects import Obj
from tests.component.node.node import running_node
from tests.support.images import busybox_archive

pytestmark = [pytest.mark.root, pytest.mark.asyncio]


async def test_an_image_is_told_of_when_it_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(heartbeat, "_RENEW_SECONDS", 3600.0)
    async with running_node(41) as node:
        for name in ("skerry.local/one:1", "skerry.local/two:1"):
            archive = busybox_archive(tmp_path, name)
            await asyncio.to_thread(images.load, node.config.paths.containerd_socket, archive)
            await node.until_node(lambda one, name=name: name in _images(one))  # type: ignore[misc]
        await node.instance.cri.remove_image("skerry.local/two:1")
        await node.until_node(lambda one: "skerry.local/two:1" not in _images(one))


def _images(node: Obj) -> list[str]:
    return [name for one in node["status"].get("images") or () for name in one["names"]]
