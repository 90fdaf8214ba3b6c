"""The real docker-registry on a free port of the loopback address; the real helm pushes to it.

Its one account is anna, with `secret`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import aiohttp
import yaml

from tests.support.dns_servers import free_port
from tests.support.helm import make_chart
from tests.support.program import program_path
from tests.support.waiting import until

_ACCOUNT = "anna:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
"""As htpasswd has it."""


@dataclass
class OciRegistry:
    """`packed`: archives that were pushed, by version."""

    folder: Path
    host: str
    packed: dict[str, Path] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"oci://{self.host}"

    def push(self, name: str, version: str, files: Mapping[str, str] = MappingProxyType({})) -> None:
        """A chart, to `charts/`."""
        described = f"apiVersion: v2\nname: {name}\nversion: {version}\ndescription: of upstream\n"
        chart = make_chart(self.folder / version, {"Chart.yaml": described, **files}, name)
        self._helm("package", str(chart), "-d", str(self.folder))
        self.packed[version] = self.folder / f"{name}-{version}.tgz"
        words = ("--plain-http", "--username", "anna", "--password", "secret")
        self._helm("push", str(self.packed[version]), f"{self.url}/charts", *words)

    def _helm(self, *words: str) -> None:
        homes = {f"HELM_{kind}_HOME": str(self.folder / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            [program_path("helm"), *words], capture_output=True, text=True, timeout=100, env={**os.environ, **homes}
        )
        assert done.returncode == 0, done.stderr


@asynccontextmanager
async def oci_registry(folder: Path, *, everybody: bool = False) -> AsyncIterator[OciRegistry]:
    """Empty; it ends with the test. `everybody`: whether no account is needed."""
    folder.mkdir(parents=True)
    host = f"127.0.0.1:{free_port()}"
    (folder / "accounts").write_text(_ACCOUNT)
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": host},
    }
    if not everybody:
        settings["auth"] = {"htpasswd": {"realm": "registry", "path": str(folder / "accounts")}}
    (folder / "config.yml").write_text(yaml.safe_dump(settings))
    log = (folder / "log").open("wb")
    process = await asyncio.create_subprocess_exec(
        "docker-registry", "serve", str(folder / "config.yml"), stdout=log, stderr=log
    )
    log.close()
    try:
        await until(lambda: _answers(host, 200 if everybody else 401), "the registry answers")
        yield OciRegistry(folder, host)
    finally:
        process.terminate()
        await process.wait()


async def _answers(host: str, status: int) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"http://{host}/v2/") as answer:
        return answer.status == status
