"""How a bridge reaches the API: over connections that are not counted, as a person, by path.

`kube.http_client` has a hundred connections for questions; streams that last take theirs from the forwarder, as those
of the gateway do. Everything is asked with the person's identity and nobody else's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

import aiohttp

from skerry.kube.answers import error_of
from skerry.kube.errors import StatusError
from skerry.kube.http_forwarding import Forwarded, Forwarder
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.identity.gateway.attributes import attributes_of

Params = Sequence[tuple[str, str]]
_AN_ERROR = 400
_LARGEST_REFUSAL = 64 * 1024


@record
class Container:
    """Of a pod."""

    namespace: str
    pod: str
    name: str


@record
class Reach:
    """To the API, as one person."""

    forwarder: Forwarder
    identity: Sequence[tuple[str, str]]
    """Headers: `gateway.asking.identity_of`."""

    @asynccontextmanager
    async def body(self, target: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """What GET answers, in pieces as they come, however long it takes. Raises StatusError, OSError."""
        async with self.forwarder.request(Forwarded("GET", target, self.identity)) as response:
            if response.status >= _AN_ERROR:
                raise error_of(response.status, await response.content.read(_LARGEST_REFUSAL))
            yield _pieces(response)

    @asynccontextmanager
    async def websocket(
        self, target: str, protocols: Sequence[str]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse[bool]]:
        """Raises StatusError with the API's own words, OSError."""
        forwarded = Forwarded("GET", target, self.identity)
        begun = False
        try:
            async with self.forwarder.websocket(forwarded, protocols) as connection:
                begun = True
                yield connection
        except StatusError as error:
            if begun:
                raise
            raise await self._in_words(target, error) from None

    async def _in_words(self, target: str, refused: StatusError) -> StatusError:
        """A handshake that failed has no words, the same request without one does, if it fails for the same reason."""
        try:
            async with self.body(target):
                return refused
        except StatusError as error:
            return error if error.code == refused.code else refused


def subresource_target(at: Container, subresource: str, params: Params) -> str:
    """Path and query of what a pod has below it ("log", "exec"), for one container."""
    path = f"/api/v1/namespaces/{quote(at.namespace, safe='')}/pods/{quote(at.pod, safe='')}/{subresource}"
    return f"{path}?{urlencode([('container', at.name), *params], quote_via=quote)}"


def asked_for(target: str) -> Obj:
    """What a stream does, in the words of access control, for `gateway.guard`."""
    return attributes_of("GET", target)


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in response.content.iter_any():
            yield piece
    except aiohttp.ClientError as error:
        raise ConnectionError(f"the API broke off: {error}") from error
