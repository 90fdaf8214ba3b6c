"""A client for any Kubernetes API over HTTP: `kube.client.Client` by aiohttp, watches included.

Used by the CLI, the platform, tests and anything outside the engine's process. Import it where it is used: aiohttp
costs a quarter of a second and 13 MB (docs/decisions/0007-aiohttp-client.md). Errors are `kube.errors.StatusError`
for what the API answers and `OSError` (ConnectionError, TimeoutError) when it does not answer.
Source of the behaviour: client-go's `rest.Request` (back-off on Retry-After) and `tools/watch`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
from multidict import CIMultiDict

from skerry import __version__
from skerry.kube.answers import error_of, events_of
from skerry.kube.client import EVERYTHING, PATCH_CONTENT_TYPES, ObjectList, PatchType, Selection, WatchEvent
from skerry.kube.errors import BadRequest
from skerry.kube.http_forwarding import Forwarder
from skerry.kube.kubeconfig import Connection, KubeconfigError, kubeconfig_with_token, load_kubeconfig
from skerry.kube.objects import Obj, Resource, name_of, namespace_of
from skerry.kube.records import record

_ATTEMPTS = 10  # as client-go: answers with Retry-After are tried again so often
_LONGEST_WAIT = 30.0  # seconds we obey of a Retry-After
_WATCH_SECONDS = 300  # the server ends a watch after this to twice this; spread, so that not all end at once
_TOKEN_SECONDS = 60.0  # how long a token read from a file is trusted; the kubelet rotates it well before it expires


@record
class _Call:
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"


class HttpClient:
    """`kube.client.Client` over HTTP. Use it as an async context manager, or call `close`."""

    _is_of_metadata = False

    def __init__(self, connection: Connection, *, timeout: float = 60.0, field_manager: str = "skerry") -> None:
        """`timeout`: seconds for one answer (watches excepted). `field_manager`: whose the fields we write are."""
        self._transport = _Transport(connection, timeout)
        self._field_manager = field_manager
        self._identity: list[tuple[str, str]] = []

    @classmethod
    def from_kubeconfig(cls, path: Path | None = None, context: str | None = None) -> HttpClient:
        """The client of a kubeconfig's context (None: the usual file, its current context). Raises KubeconfigError."""
        return cls(load_kubeconfig(path, context))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; harmless twice. Clients made by `acting_as` share them."""
        await self._transport.close()

    def acting_as(self, user: str, groups: Sequence[str] = (), extra: Mapping[str, str] | None = None) -> HttpClient:
        """A client that impersonates a user, on the same connections. The API checks that we may. `extra`: what else is
        known about who asks, for the audit log."""
        other = object.__new__(HttpClient)
        other._transport, other._field_manager = self._transport, self._field_manager
        other._identity = [
            ("Impersonate-User", user),
            *(("Impersonate-Group", group) for group in groups),
            *((f"Impersonate-Extra-{quote(key, safe='')}", value) for key, value in (extra or {}).items()),
        ]
        return other

    def kubeconfig_with_token(self, token: str, namespace: str) -> Obj:
        """A kubeconfig of this server for somebody else's token, and with nothing of our own: for programs."""
        return kubeconfig_with_token(self._transport.connection, token, namespace)

    def managing(self, field_manager: str) -> HttpClient:
        """A client whose writes are those of another field manager, on the same connections, as the same user."""
        other = object.__new__(HttpClient)
        other._transport, other._identity, other._field_manager = self._transport, self._identity, field_manager
        return other

    def of_metadata(self) -> HttpClient:
        """A client whose lists and watches give the metadata of objects and nothing else, as the server cuts them."""
        other = self.managing(self._field_manager)
        other._is_of_metadata = True
        return other

    def forwarder(self) -> Forwarder:
        """For requests of others, with this client's credentials and as nobody else unless they say so: whoever uses
        it settles their headers. It is closed with the client."""
        return self._transport.forwarder

    async def get_raw(self, path: str, params: Mapping[str, str] | None = None) -> bytes:
        """The body of any path of the API, for example "/version" or "/readyz"."""
        return await self._transport.answer(_Call("GET", path, params or {}), self._identity)

    @asynccontextmanager
    async def websocket(
        self, path: str, params: Sequence[tuple[str, str]], protocols: Sequence[str]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse[bool]]:
        """A connection to a path that is upgraded; it speaks one of `protocols`. Raises StatusError, OSError."""
        async with self._transport.websocket(path, params, protocols, self._identity) as connection:
            yield connection

    async def get(self, resource: Resource, name: str, namespace: str | None = None, subresource: str = "") -> Obj:
        """One object. Raises NotFound."""
        return await self._object(_Call("GET", _path(resource, namespace, name, subresource)))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        limit: int = 0,
        next_token: str = "",
    ) -> ObjectList:
        """A collection, or a chunk of it when `limit` > 0. Raises Expired for a token too old."""
        params = selection.chunk(limit, next_token)
        call = _Call("GET", _path(resource, namespace), params)
        answer: Obj = orjson.loads(await self._transport.answer(call, self._asking_for("PartialObjectMetadataList")))
        metadata = answer.get("metadata") or {}
        items = [_with_kind(item, resource) for item in answer.get("items") or ()]
        return ObjectList(items, str(metadata.get("resourceVersion", "")), str(metadata.get("continue") or ""))

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        resource_version: str,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """Changes after `resource_version`, bookmarks included; ends in order when the server says so, after some
        minutes. Raises Expired when the version is too old."""
        seconds = random.randint(_WATCH_SECONDS, 2 * _WATCH_SECONDS)  # noqa: S311  # spread, not secrecy
        params = {
            **selection.query(),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        call = _Call("GET", _path(resource, namespace), params)
        identity = self._asking_for("PartialObjectMetadata")
        async with self._transport.stream(call, identity, silence=seconds + 30.0) as chunks:
            yield events_of(chunks)

    async def create(self, resource: Resource, obj: Obj, namespace: str | None = None, subresource: str = "") -> Obj:
        """Create; returns what is stored. Raises AlreadyExists, Invalid."""
        parent = name_of(obj) if subresource else None
        path = _path(resource, namespace or namespace_of(obj) or None, parent, subresource)
        return await self._object(_Call("POST", path, self._managed(), orjson.dumps(obj)))

    async def update(self, resource: Resource, obj: Obj, subresource: str = "") -> Obj:
        """Replace. Raises Conflict, NotFound, Invalid."""
        path = _path(resource, namespace_of(obj) or None, name_of(obj), subresource)
        return await self._object(_Call("PUT", path, self._managed(), orjson.dumps(obj)))

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Obj | Sequence[Obj],
        namespace: str | None = None,
        *,
        kind: PatchType = "merge",
        subresource: str = "",
    ) -> Obj:
        """Patch; a list is a JSON patch. An apply takes over fields others manage. Raises NotFound, Conflict."""
        kind = kind if isinstance(patch, dict) else "json"
        params = {**self._managed(), "force": "true"} if kind == "apply" else self._managed()
        path = _path(resource, namespace, name, subresource)
        return await self._object(_Call("PATCH", path, params, orjson.dumps(patch), PATCH_CONTENT_TYPES[kind]))

    async def preview(self, resource: Resource, obj: Obj, namespace: str | None = None) -> Obj:
        """What applying an object would come to, fields that others manage included; nothing is stored, and fields
        that the kind does not have are refused. Raises Invalid, Forbidden, BadRequest, NotFound."""
        params = {**self._managed(), "force": "true", "dryRun": "All", "fieldValidation": "Strict"}
        path = _path(resource, namespace, name_of(obj))
        return await self._object(_Call("PATCH", path, params, orjson.dumps(obj), PATCH_CONTENT_TYPES["apply"]))

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, options: Obj | None = None
    ) -> Obj:
        """Delete with `DeleteOptions`. Raises NotFound."""
        body = orjson.dumps({"kind": "DeleteOptions", "apiVersion": "v1", **options}) if options else None
        return await self._object(_Call("DELETE", _path(resource, namespace, name), body=body))

    async def _object(self, call: _Call) -> Obj:
        parsed: Obj = orjson.loads(await self._transport.answer(call, self._identity))
        return parsed

    def _asking_for(self, kind: str) -> Sequence[tuple[str, str]]:
        """The headers, for answers of this kind when only metadata is wanted."""
        if not self._is_of_metadata:
            return self._identity
        return [*self._identity, ("Accept", f"application/json;as={kind};g=meta.k8s.io;v=v1")]

    def _managed(self) -> dict[str, str]:
        return {"fieldManager": self._field_manager}


class _Transport:
    """Connections to one API server: time-outs, retries, and errors as exceptions."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self.connection = connection
        self._timeout = timeout
        self._token, self._token_read = connection.token, 0.0
        self._session: aiohttp.ClientSession | None = None
        self.forwarder = Forwarder(connection, self._current_token)

    async def close(self) -> None:
        await self.forwarder.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def answer(self, call: _Call, identity: Sequence[tuple[str, str]]) -> bytes:
        """The body of a successful answer. Raises StatusError, OSError."""
        for attempt in range(1, _ATTEMPTS + 1):
            async with self._send(call, identity, aiohttp.ClientTimeout(total=self._timeout)) as response:
                body = await response.read()
                wait = _retry_after(response)
                if response.status < 400:
                    return body
                if wait is None or attempt == _ATTEMPTS:
                    raise error_of(response.status, body)
            await asyncio.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    @asynccontextmanager
    async def stream(
        self, call: _Call, identity: Sequence[tuple[str, str]], silence: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body in pieces as they come; `silence`: seconds without any after which the connection is dead."""
        timeout = aiohttp.ClientTimeout(sock_connect=self._timeout, sock_read=silence)
        async with self._send(call, identity, timeout) as response:
            if response.status >= 400:
                raise error_of(response.status, await response.read())
            yield response.content.iter_any()

    @asynccontextmanager
    async def websocket(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        protocols: Sequence[str],
        identity: Sequence[tuple[str, str]],
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse[bool]]:
        try:
            async with self._open().ws_connect(
                self.connection.server + path,
                params=params,
                protocols=protocols,
                headers=self._headers(identity),
                max_msg_size=0,
                server_hostname=self.connection.tls_server_name or None,
            ) as connection:
                yield connection
        except aiohttp.WSServerHandshakeError as error:
            raise error_of(error.status, b"") from error
        except aiohttp.ClientError as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def _send(
        self, call: _Call, identity: Sequence[tuple[str, str]], timeout: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = self._headers(identity)
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        try:
            async with self._open().request(
                call.method,
                self.connection.server + call.path,
                params=call.params,
                data=call.body,
                headers=headers,
                timeout=timeout,
                server_hostname=self.connection.tls_server_name or None,
            ) as response:
                yield response
        except aiohttp.ClientError as error:
            raise self._unreachable(error) from error

    def _headers(self, identity: Sequence[tuple[str, str]]) -> CIMultiDict[str]:
        headers = CIMultiDict(identity)
        if token := self._current_token():
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def _unreachable(self, error: aiohttp.ClientError) -> OSError:
        return error if isinstance(error, OSError) else ConnectionError(f"{self.connection.server}: {error}")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A proxy of the environment is not for our own machine, and compressing would only cost both sides time.
            local = urlsplit(self.connection.server).hostname in ("localhost", "127.0.0.1", "::1")
            headers = {"Accept": "application/json", "User-Agent": f"skerry/{__version__}"}
            context = self.connection.ssl_context()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context if context is not None else True),
                headers={**headers, "Accept-Encoding": "identity"} if local else headers,
                trust_env=not local,
            )
        return self._session

    def _current_token(self) -> str:
        file = self.connection.token_file
        if file is not None and time.monotonic() - self._token_read > _TOKEN_SECONDS:
            try:
                self._token, self._token_read = file.read_text().strip(), time.monotonic()
            except OSError as error:
                raise KubeconfigError(f"cannot read the token file {file}: {error.strerror}") from error
        return self._token


def _path(resource: Resource, namespace: str | None, name: str | None = None, subresource: str = "") -> str:
    """The path with names quoted: a name never reaches into another path. Raises BadRequest for what is none: without
    it, and where a path is shortened by it, all objects would be meant."""
    if name == "" or any(one in (".", "..") for one in (namespace, name)):
        raise BadRequest(f"{resource.plural}: {namespace or ''}/{name or ''} is no name of an object")
    quoted = [quote(part, safe="") if part else None for part in (namespace, name)]
    return resource.path(quoted[0], quoted[1], subresource)


def _with_kind(item: Obj, resource: Resource) -> Obj:
    """Items of a list carry no kind in Kubernetes' answers; everywhere else objects do."""
    return item if "kind" in item else {"apiVersion": resource.api_version, "kind": resource.kind, **item}


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds to wait before trying again, None when the answer is final."""
    header = response.headers.get("Retry-After", "")
    if not header.isdigit() or not (response.status == 429 or response.status >= 500):
        return None
    return min(float(header), _LONGEST_WAIT)
