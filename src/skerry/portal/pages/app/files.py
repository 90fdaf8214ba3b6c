"""Files of a container of an app: looked at, brought out, brought in."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj
from skerry.platform.identity.login.often import TooMany
from skerry.portal.pages.app.opened import chosen, container, opened, page, parts, reach
from skerry.portal.streams.files import (
    LARGEST_UPLOAD,
    MOST,
    FilesRefused,
    Upload,
    bring,
    content,
    listing,
    name_for,
    path_of,
)
from skerry.portal.streams.reach import Container
from skerry.portal.streams.tar import WrongSize
from skerry.portal.web.headers import page_headers
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer


async def show(viewer: Viewer) -> Response:
    """A directory."""
    app = await opened(viewer)
    pods = (await parts(viewer, app)).pods
    found = chosen(viewer, app, pods, running=True)
    values: dict[str, object] = {"chosen": found, "entries": [], "refused": "", "most": MOST, "moment": _moment}
    path = "/"
    try:
        path = path_of(viewer.query.get("path") or _home(pods, found.at))
        if found.at is not None:
            values["entries"] = await listing(reach(viewer), found.at, path)
    except (FilesRefused, StatusError) as refused:
        values["refused"] = str(refused)
    where = {"pod": found.at.pod, "container": found.at.name} if found.at else {}
    links = {
        "link": lambda to: "?" + urlencode({**where, "path": to}),
        "get": lambda to, kind: f"{app.path}/file?" + urlencode({**where, "path": to, "kind": kind}),
    }
    more = {"path": path, "above": _above(path), "join": posixpath.join, "where": where}
    more["command_text"] = _command(app.target, found.at, path) if found.at else ""
    return await page(viewer, app, "files", {**more, **links, **values})


async def give(viewer: Viewer) -> Response:
    """A file, or a directory as an archive."""
    at = await container(viewer, await opened(viewer))
    is_directory = viewer.query.get("kind") == "directory"
    stack = AsyncExitStack()
    try:
        stack.enter_context(viewer.stream())
        path = path_of(viewer.query.get("path"))
        pieces = await stack.enter_async_context(content(reach(viewer), at, path, is_directory=is_directory))
    except FilesRefused as refused:
        await stack.aclose()
        raise NotTaken(str(refused)) from None
    except BaseException:
        await stack.aclose()
        raise
    name = posixpath.basename(path) or at.pod
    return StreamingResponse(_closing(pieces, stack), headers=_headers(f"{name}.tar" if is_directory else name))


async def take(viewer: Viewer) -> Response:
    """A file that is brought in: the request's body is its content, the query says where to. The answer is for the
    page's script: {"why": ""}."""
    at = await container(viewer, await opened(viewer))
    request = viewer.request
    assert isinstance(request, Request)
    try:
        with viewer.stream():
            await bring(reach(viewer), at, _upload(viewer, request.headers), request.stream())
    except TooMany as many:
        return _told(429, str(many))
    except (FilesRefused, WrongSize) as refused:
        return _told(400, str(refused))
    except StatusError as error:
        return _told(error.code, error.message)
    except OSError as error:
        return _told(502, str(error))
    return _told(200, "")


def _upload(viewer: Viewer, headers: Mapping[str, str]) -> Upload:
    told = headers.get("content-length", "")
    if not told.isdigit():
        raise FilesRefused("the size of the file must be said")
    size = int(told)
    if size > LARGEST_UPLOAD:
        raise FilesRefused(f"a file may have {LARGEST_UPLOAD // 1024**3} GiB at most: use a volume or `kubectl cp`")
    now = int(viewer.clock.now().timestamp())
    return Upload(path_of(viewer.query.get("path")), name_for(viewer.query.get("name")), size, now)


async def _closing(pieces: AsyncIterator[bytes], stack: AsyncExitStack) -> AsyncIterator[bytes]:
    """What is not whole breaks off: the browser says that it failed."""
    async with stack:
        async for piece in pieces:
            yield piece


def _headers(name: str) -> dict[str, str]:
    """Always kept, never shown: what is in a container is not ours."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    kind = {"content-type": "application/octet-stream", "content-disposition": disposition}
    return {**page_headers(), **kind, "content-security-policy": "sandbox; default-src 'none'"}


def _told(code: int, why: str) -> Response:
    return JSONResponse({"why": why}, code, page_headers())


def _above(path: str) -> list[tuple[str, str]]:
    """(name, path) of a directory and those it is in, from the root down."""
    parts_ = [one for one in path.split("/") if one]
    return [("/", "/"), *((one, "/" + "/".join(parts_[: place + 1])) for place, one in enumerate(parts_))]


def _home(pods: object, at: Container | None) -> str:
    """Where people's files are: the first volume with a claim, else the working directory."""
    if at is None or not isinstance(pods, (list, tuple)):
        return "/"
    pod = next((one for one in pods if one["metadata"]["name"] == at.pod), None)
    if pod is None:
        return "/"
    claims = {one["name"] for one in pod["spec"].get("volumes") or () if "persistentVolumeClaim" in one}
    spec: Obj = next((one for one in pod["spec"]["containers"] if one["name"] == at.name), {})
    mounts = [one["mountPath"] for one in spec.get("volumeMounts") or () if one["name"] in claims]
    return str(mounts[0] if mounts else spec.get("workingDir") or "/")


def _command(namespace: str, at: Container, path: str) -> str:
    """As it can be pasted, whatever the path: names of files are anybody's."""
    return shlex.join(["kubectl", "-n", namespace, "cp", "-c", at.name, f"{at.pod}:{path}", "."])


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)
