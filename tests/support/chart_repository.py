"""A chart repository as others keep one: a real HTTP server with an index that the real helm has written."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.support.helm import make_chart
from tests.support.program import program_path


@dataclass
class ChartRepository:
    """`asked`: paths that somebody asked for. `login`: who may, with `name:password`; "" everybody."""

    folder: Path
    url: str = ""
    login: str = ""
    is_up: bool = True
    asked: list[str] = field(default_factory=list)

    def add(self, name: str, version: str, **files: str) -> Path:
        """Pack a chart and write the index anew; the archive."""
        described = f"apiVersion: v2\nname: {name}\nversion: {version}\ndescription: of upstream\n"
        chart = make_chart(self.folder / "sources" / version, {"Chart.yaml": described, **files}, name)
        _helm("package", str(chart), "-d", str(self.folder / "served"))
        self.write_index()
        return self.folder / "served" / f"{name}-{version}.tgz"

    def write_index(self) -> None:
        """Of the archives there are."""
        _helm("repo", "index", str(self.folder / "served"))

    def _wanted(self) -> str:
        return f"Basic {base64.b64encode(self.login.encode()).decode()}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A file, or why not."""
        self.asked.append(request.path)
        if not self.is_up:
            return web.Response(status=503)
        if self.login and request.headers.get("authorization") != self._wanted():
            return web.Response(status=401)
        file = self.folder / "served" / request.path.lstrip("/")
        return web.FileResponse(file) if file.is_file() else web.Response(status=404)


@asynccontextmanager
async def chart_repository(folder: Path) -> AsyncIterator[ChartRepository]:
    """An empty one on the loopback address."""
    (folder / "served").mkdir(parents=True)
    repository = ChartRepository(folder)
    application = web.Application()
    application.router.add_get("/{path:.*}", repository.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        repository.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield repository
    finally:
        await runner.cleanup()


def _helm(*words: str) -> None:
    subprocess.run([program_path("helm"), *words], check=True, capture_output=True, timeout=100)
