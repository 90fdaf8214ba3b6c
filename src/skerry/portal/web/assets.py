"""What browsers keep: our style sheet and script, and what npm installed below `static/vendor/`.

Paths carry a digest of the content, so an answer may be kept for ever and a new version is another path. Only what
was found in `static/` is served: a path never reaches elsewhere.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skerry.kube.records import record

_FOLDER = Path(__file__).parent.parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_FOR_EVER = "public, max-age=31536000, immutable"


@record
class _Asset:
    digest: str
    type: str
    plain: bytes
    packed: bytes


class Assets:
    """Read when they are first asked for: there are few, and they are small."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._folder = folder
        self._paths = {str(one.relative_to(folder)): one for one in folder.rglob("*") if one.suffix in _TYPES}
        self._read: dict[str, _Asset] = {}

    def has(self, path: str) -> bool:
        """Whether it is installed, e.g. "vendor/htmx.js"."""
        return path in self._paths

    def url(self, path: str) -> str:
        """Where browsers get it. Raises KeyError when there is none."""
        return f"/portal/static/{self._asset(path).digest}/{path}"

    def route(self) -> Route:
        """Serves all of them."""
        return Route("/portal/static/{digest}/{path:path}", self._answer, methods=["GET"])

    async def _answer(self, request: Request) -> Response:
        path = request.path_params["path"]
        if path not in self._paths:
            return Response("no such file", 404, media_type="text/plain")
        asset = self._asset(path)
        headers = {"x-content-type-options": "nosniff", "vary": "accept-encoding", "content-type": asset.type}
        headers["cache-control"] = _FOR_EVER if request.path_params["digest"] == asset.digest else "no-cache"
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, headers={**headers, "content-encoding": "gzip"})
        return Response(asset.plain, headers=headers)

    def _asset(self, path: str) -> _Asset:
        if path not in self._read:
            plain = self._paths[path].read_bytes()
            digest = hashlib.sha256(plain).hexdigest()[:12]
            self._read[path] = _Asset(digest, _TYPES[self._paths[path].suffix], plain, gzip.compress(plain, 9, mtime=0))
        return self._read[path]
