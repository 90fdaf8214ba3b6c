"""Passes other people's requests on to a Kubernetes API: as they are, answered as it comes, streams of any length.

Neighbour: `kube.http_client`, whose credentials it has (`HttpClient.forwarder`). Unlike there nothing is tried again,
decoded or followed, any status is an answer, and connections are not counted: streams that last would use them up.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from skerry.kube.answers import error_of
from skerry.kube.http_upgrading import Agreed, Declined, Place, ask, request_bytes
from skerry.kube.kubeconfig import Connection
from skerry.kube.records import record

_CONNECT_SECONDS = 30.0
_ADDED_BY_ITSELF = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@record
class Forwarded:
    """A request of somebody else."""

    method: str
    target: str
    """Path and query, escaped already; begins with "/"."""
    headers: Sequence[tuple[str, str]]
    """Without those that belong to one connection, and without credentials: ours are added."""
    body: AsyncIterable[bytes] | None = None


class Forwarder:
    """To one API server."""

    def __init__(self, connection: Connection, token: Callable[[], str]) -> None:
        """`token`: the current one, "" where a certificate says who we are."""
        self._connection, self._token = connection, token
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """End all connections; harmless twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def request(self, forwarded: Forwarded) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, whose body has not been read. Raises OSError."""
        try:
            async with self._open().request(
                forwarded.method,
                self._url(forwarded),
                headers=self._headers(forwarded),
                data=forwarded.body,
                allow_redirects=False,
                server_hostname=self._connection.tls_server_name or None,
            ) as response:
                yield response
        except aiohttp.ClientError as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def websocket(
        self, forwarded: Forwarded, protocols: Sequence[str]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse[bool]]:
        """A WebSocket that speaks one of `protocols`. Raises StatusError (without the text of a refusal), OSError."""
        try:
            async with self._open().ws_connect(
                self._url(forwarded),
                protocols=protocols,
                headers=self._headers(forwarded),
                max_msg_size=0,
                server_hostname=self._connection.tls_server_name or None,
            ) as connection:
                yield connection
        except aiohttp.WSServerHandshakeError as error:
            raise error_of(error.status, b"") from error
        except aiohttp.ClientError as error:
            raise self._unreachable(error) from error

    async def upgrade(self, forwarded: Forwarded, protocol: str) -> Agreed | Declined:
        """The answer to a request, without a body, for another protocol. Raises OSError."""
        server = urlsplit(self._connection.server)
        context = self._connection.ssl_context()
        port = server.port or (80 if context is None else 443)
        place = Place(server.hostname or "", port, context, self._connection.tls_server_name)
        sent = [("Host", server.netloc), *self._headers(forwarded).items()]
        fields = [(name, value.encode().decode("latin-1")) for name, value in sent]  # UTF-8, as aiohttp has it
        target = server.path.rstrip("/") + forwarded.target
        return await ask(place, request_bytes(forwarded.method, target, fields, protocol, b""))

    def _url(self, forwarded: Forwarded) -> URL:
        if not forwarded.target.startswith("/"):
            raise ValueError(f"not a path: {forwarded.target!r}")
        return URL(self._connection.server + forwarded.target, encoded=True)

    def _headers(self, forwarded: Forwarded) -> CIMultiDict[str]:
        headers = CIMultiDict(forwarded.headers)
        if token := self._token():
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def _unreachable(self, error: aiohttp.ClientError) -> OSError:
        return error if isinstance(error, OSError) else ConnectionError(f"{self._connection.server}: {error}")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            context = self._connection.ssl_context()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context if context is not None else True, limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                skip_auto_headers=_ADDED_BY_ITSELF,
                auto_decompress=False,
            )
        return self._session
