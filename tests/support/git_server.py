"""A git repository, and the real `git http-backend` in front of it over TLS, for anna with `secret`."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from skerry.kube.certificates.making import issue_authority, issue_leaf
from skerry.kube.certificates.wanted import Wanted

_LOGIN = f"Basic {base64.b64encode(b'anna:secret').decode()}"


@dataclass
class GitServer:
    """`tree`: what is in it is committed by `commit`."""

    tree: Path
    ca: str = ""
    url: str = ""

    def commit(self) -> str:
        """Everything, to the branch main; the commit."""
        self._git("add", "-A")
        self._git("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "change")
        return self._git("rev-parse", "HEAD").strip()

    def tag(self, name: str) -> None:
        """An annotated tag of what was committed last."""
        self._git("-c", "user.name=test", "-c", "user.email=test@localhost", "tag", "-a", name, "-m", "tag")

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.tree), *words], capture_output=True, text=True, check=True)
        return done.stdout


@asynccontextmanager
async def git_server(folder: Path) -> AsyncIterator[GitServer]:
    """An empty repository."""
    tree = folder / "labs"
    tree.mkdir(parents=True)
    for words in (("init", "-q", "-b", "main"), ("config", "uploadpack.allowReachableSHA1InWant", "true")):
        subprocess.run(["git", "-C", str(tree), *words], check=True, capture_output=True)
    now = datetime.now(UTC)
    authority = issue_authority(Wanted("ca", "git", days=1, authority="ca"), now)
    leaf = issue_leaf(Wanted("git", "git", names=("localhost",)), (authority.certificate, authority.key), now)
    (folder / "server.pem").write_bytes(leaf.certificate + b"\n" + leaf.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    application = web.Application(client_max_size=1 << 24)

    async def answer(request: web.Request) -> web.Response:
        return await _answer(request, folder)

    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "localhost", 0, ssl_context=context).start()
        port = runner.addresses[0][1]
        yield GitServer(tree, authority.certificate.decode(), f"https://localhost:{port}/labs/.git")
    finally:
        await runner.cleanup()


async def _answer(request: web.Request, folder: Path) -> web.Response:
    if request.headers.get("authorization") != _LOGIN:
        return web.Response(status=401, headers={"www-authenticate": "Basic"})
    told = {
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
    }
    process = await asyncio.create_subprocess_exec(
        "git", "http-backend", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env={**os.environ, **told}
    )
    out, _ = await process.communicate(await request.read())
    head, _, body = out.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    status = int(headers.pop("Status", "200").split()[0])
    return web.Response(status=status, headers=headers, body=body)
