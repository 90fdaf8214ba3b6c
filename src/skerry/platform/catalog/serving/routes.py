"""The repository's routes below `/charts/<namespace>/<catalog>/`: Helm's protocol to read, ChartMuseum's API to write.

Source: helm.sh, "The Chart Repository Guide"; ChartMuseum's README ("API"). Provenance files are refused by name.
"""

from __future__ import annotations

import asyncio
import email.parser
import email.policy
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from skerry.kube.errors import (
    BadRequest,
    NotFound,
    RequestEntityTooLarge,
    ServiceUnavailable,
    StatusError,
    Unauthorized,
)
from skerry.platform.base.capability import Context
from skerry.platform.catalog.charts.archive import Chart, read_chart
from skerry.platform.catalog.charts.facts import BadChart
from skerry.platform.catalog.serving.guard import Guard
from skerry.platform.catalog.serving.hosting import Hosting
from skerry.platform.catalog.serving.index import file_name, index, versions_of
from skerry.platform.catalog.types import CATALOG_ENTRIES, LARGEST_ARCHIVE, CatalogEntrySpec, Version

log = logging.getLogger(__name__)

_BASE = "/charts/{namespace}/{catalog}"
_LARGEST_BODY = LARGEST_ARCHIVE + 16 * 1024
_Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def repository_routes(context: Context) -> Sequence[BaseRoute]:
    """For the platform's web server."""
    return Repository(context).routes()


class Repository:
    """All catalogues of the cluster, each as a chart repository."""

    def __init__(self, context: Context) -> None:
        self._guard = Guard(context)
        self._clock = context.clock
        self._hosting = Hosting(context, context.informers.of(CATALOG_ENTRIES))

    def routes(self) -> Sequence[BaseRoute]:
        """Reading takes the right to list catalogentries there, writing the verb push on the catalogue."""
        charts = f"{_BASE}/api/charts"
        reading: dict[str, _Handler] = {
            f"{_BASE}/index.yaml": self._index,
            f"{_BASE}/charts/{{file}}": self._download,
            charts: self._list,
            f"{charts}/{{chart}}": self._chart,
            f"{charts}/{{chart}}/{{version}}": self._version,
        }
        return [
            *(Route(path, self._answering(self._reading(one)), methods=["GET"]) for path, one in reading.items()),
            Route(charts, self._answering(self._writing(self._push)), methods=["POST"]),
            Route(f"{charts}/{{chart}}/{{version}}", self._answering(self._writing(self._remove)), methods=["DELETE"]),
            Route(f"{_BASE}/api/prov", self._answering(self._writing(_no_provenance)), methods=["POST"]),
        ]

    async def _index(self, request: Request) -> Response:
        """JSON, which is YAML, and quicker for everybody."""
        entries = await self._hosting.entries(*_where(request))
        return Response(orjson.dumps(index(entries, self._clock.now())), media_type="application/x-yaml")

    async def _download(self, request: Request) -> Response:
        namespace, catalog = _where(request)
        wanted = request.path_params["file"]
        for entry in await self._hosting.entries(namespace, catalog):
            for version in entry.versions:
                if version.archive and file_name(entry.name, version.version) == wanted:
                    archive = await self._hosting.archive(namespace, version)
                    return Response(archive, media_type="application/gzip")
        raise NotFound(f"there is no {wanted} in catalogue {catalog}")

    async def _list(self, request: Request) -> Response:
        entries = await self._hosting.entries(*_where(request))
        return _json({one.name: told for one in entries if (told := versions_of(one))})

    async def _chart(self, request: Request) -> Response:
        return _json(versions_of(await self._entry(request)))

    async def _version(self, request: Request) -> Response:
        entry = await self._entry(request)
        wanted = _wanted(entry, request.path_params["version"])
        return _json(next(one for one in versions_of(entry) if one["version"] == wanted.version))

    async def _push(self, request: Request) -> Response:
        chart = await _chart_in(request)
        await self._hosting.push(await self._hosting.catalog(*_where(request)), chart)
        log.info("%s/%s: %s %s was pushed", *_where(request), chart.facts.name, chart.facts.version)
        told = {"saved": True, "name": chart.facts.name, "version": chart.facts.version, "digest": chart.digest}
        return _json(told, 201)

    async def _remove(self, request: Request) -> Response:
        chart, version = request.path_params["chart"], request.path_params["version"]
        await self._hosting.remove(await self._hosting.catalog(*_where(request)), chart, version)
        log.info("%s/%s: %s %s was removed", *_where(request), chart, version)
        return _json({"deleted": True})

    async def _entry(self, request: Request) -> CatalogEntrySpec:
        namespace, catalog = _where(request)
        return await self._hosting.entry(namespace, catalog, request.path_params["chart"])

    def _reading(self, handler: _Handler) -> _Handler:
        async def checked(request: Request) -> Response:
            caller = await self._guard.caller(request.headers.get("authorization", ""))
            await self._guard.check_read(caller, _where(request)[0])
            return await handler(request)

        return checked

    def _writing(self, handler: _Handler) -> _Handler:
        async def checked(request: Request) -> Response:
            caller = await self._guard.caller(request.headers.get("authorization", ""))
            await self._guard.check_push(caller, *_where(request))
            return await handler(request)

        return checked

    def _answering(self, handler: _Handler) -> _Handler:
        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except StatusError as error:
                return _failed(error)
            except OSError as error:
                log.warning("%s: %s", request.url.path, error)
                return _failed(ServiceUnavailable("the Kubernetes API does not answer: try again"))

        return answer


def _where(request: Request) -> tuple[str, str]:
    """Namespace and catalogue."""
    return request.path_params["namespace"], request.path_params["catalog"]


def _wanted(entry: CatalogEntrySpec, version: str) -> Version:
    found = next((one for one in entry.versions if one.archive and one.version == version), None)
    if found is None:
        raise NotFound(f"there is no {entry.name} {version} in catalogue {entry.catalog}")
    return found


async def _chart_in(request: Request) -> Chart:
    """Raises BadRequest, RequestEntityTooLarge."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_BODY:
            raise RequestEntityTooLarge(f"an archive has up to {LARGEST_ARCHIVE} bytes")
    try:
        return await asyncio.to_thread(read_chart, _archive_in(request.headers.get("content-type", ""), bytes(body)))
    except BadChart as bad:
        raise BadRequest(str(bad)) from None


def _archive_in(content_type: str, body: bytes) -> bytes:
    """The body, or of a form the file `chart`. Raises BadRequest."""
    if not content_type.lower().startswith("multipart/form-data"):
        return body
    whole = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body
    for part in email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(whole).walk():
        named = re.search(r'name="?([^";]+)', part.get("content-disposition", ""))
        if named is not None and named[1] == "chart":
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    raise BadRequest("the form has no file `chart`")


async def _no_provenance(_: Request) -> Response:
    raise BadRequest("provenance files are not kept: digests of archives are in the index")


def _json(content: Any, code: int = 200) -> Response:
    return Response(orjson.dumps(content), code, {"cache-control": "no-store"}, "application/json")


def _failed(error: StatusError) -> Response:
    """`error` as ChartMuseum has it, `message` as Kubernetes."""
    answer = _json({**error.to_json(), "error": error.message}, error.code)
    if isinstance(error, Unauthorized):
        answer.headers["www-authenticate"] = 'Basic realm="Skerry charts"'
    return answer
