"""Archives on disk, which several Helms read at the same time."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any, cast

from skerry.kube.client import Client
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj
from skerry.platform.releases.charts import Chart, Charts

ARCHIVE = b"archive" * 1000
CHART = Chart("web", "1.0.0", "lidar", "chart-1", hashlib.sha256(ARCHIVE).hexdigest())


class Slow:
    """An API that answers when it is told to."""

    def __init__(self) -> None:
        self.turn = asyncio.Event()

    async def get(self, *asked: Any) -> Obj:
        del asked
        await self.turn.wait()
        return {"binaryData": {"chart.tgz": base64.b64encode(ARCHIVE).decode()}}


class Entries:
    def add_index(self, *of: Any) -> None: ...


async def test_an_archive_that_is_read_is_not_written_again(tmp_path: Path) -> None:
    charts, first, second = Charts(cast("Informer", Entries())), Slow(), Slow()
    late = asyncio.create_task(charts.file(CHART, cast("Client", second), tmp_path))
    first.turn.set()
    path = await charts.file(CHART, cast("Client", first), tmp_path)
    before = path.stat()
    second.turn.set()
    assert await late == path
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert path.read_bytes() == ARCHIVE
    assert list(tmp_path.iterdir()) == [path]
