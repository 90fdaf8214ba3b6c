"""The way to extension API servers: which endpoint of their service, under which certificate, believing which one.

Endpoints are looked up in the store for every request; one of those that are ready is taken at random. aiohttp is
imported at the first request: most clusters have no extension server. Neighbours: `endpoints` (decides), `pki`
(the front proxy's certificate), `trust`.
"""

from __future__ import annotations

import random
import ssl
from typing import TYPE_CHECKING

from skerry.engine.api.aggregation.endpoints import SERVICE_NAME, Verdict, addresses
from skerry.engine.api.aggregation.identity import AGGREGATOR, identity_headers
from skerry.engine.api.aggregation.remote import RemoteApi
from skerry.engine.api.pki import FRONT_PROXY, Pki
from skerry.engine.api.subresources.proxy.forwarding import Trust
from skerry.engine.api.trust import BadBundle, Contexts, trusting, unverified, with_certificate
from skerry.engine.store.contract import Key, Store
from skerry.kube.errors import InternalError, ServiceUnavailable
from skerry.kube.objects import Obj, labels_of

if TYPE_CHECKING:
    import aiohttp

_SECONDS = 5.0
"""What one question of our own may take."""
_LARGEST = 32 * 1024 * 1024
"""Bytes of an answer to one."""


class Unreachable(Exception):
    """A server did not answer a question as it must; the message says how."""


class ExtensionServers:
    """Knows the front proxy's certificate by where it is: it is read with the first bundle."""

    def __init__(self, store: Store, pki: Pki) -> None:
        self._store = store
        self._pki = pki
        self._verifying = Contexts(lambda bundle: self._shown(trusting(bundle)))
        self._unverified = Contexts(lambda bundle: self._shown(unverified()))

    def take_up_certificate(self) -> None:
        """Show the front proxy's certificate of today from the next connection on."""
        self._verifying.forget()
        self._unverified.forget()

    def endpoints(self, remote: RemoteApi) -> list[str] | Verdict:
        """host:port of its endpoints, in no order, or why there is none."""
        entry = self._store.get(Key("services", remote.namespace, remote.service))
        slices = self._store.list("endpointslices.discovery.k8s.io", remote.namespace)
        own = [one for one in (each.shared() for each in slices) if _is_of(one, remote.service)]
        found = addresses(remote, entry.shared() if entry is not None else None, own)
        return found if isinstance(found, Verdict) else random.sample(found, len(found))

    def trust(self, remote: RemoteApi) -> Trust:
        """What its certificate must be. Raises InternalError for a bundle that cannot be read."""
        try:
            context = (self._unverified if remote.insecure else self._verifying).of(remote.bundle)
        except BadBundle as error:
            raise InternalError(str(error)) from error
        return Trust(context, remote.host)

    def pick(self, remote: RemoteApi) -> str:
        """host:port of one endpoint. Raises ServiceUnavailable."""
        found = self.endpoints(remote)
        if isinstance(found, Verdict):
            raise ServiceUnavailable("service unavailable")
        return found[0]

    async def ask(self, remote: RemoteApi, authority: str, path: str) -> bytes:
        """The JSON document at a path, asked for in the aggregator's own name. Raises Unreachable."""
        import aiohttp

        url = f"https://{authority}{path}"
        try:
            context, name = self.trust(remote)
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=context, force_close=True),
                    timeout=aiohttp.ClientTimeout(total=_SECONDS),
                ) as session,
                session.get(url, headers=_HEADERS, allow_redirects=False, server_hostname=name) as answer,
            ):
                if answer.status // 100 != 2:
                    raise Unreachable(f"failing or missing response from {url}: bad status from {url}: {answer.status}")
                return await _whole(answer.content)
        except TimeoutError:
            raise Unreachable(f"timed out waiting for {url}") from None
        except (aiohttp.ClientError, OSError, InternalError) as error:
            raise Unreachable(f'failing or missing response from {url}: Get "{url}": {error}') from error

    def _shown(self, context: ssl.SSLContext) -> ssl.SSLContext:
        return with_certificate(context, self._pki.certificate(FRONT_PROXY), self._pki.key(FRONT_PROXY))


_HEADERS = [*identity_headers(AGGREGATOR), ("Accept", "application/json")]


async def _whole(content: aiohttp.StreamReader) -> bytes:
    pieces, size = [], 0
    async for piece in content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > _LARGEST:
            raise Unreachable(f"the answer is longer than {_LARGEST} bytes")
    return b"".join(pieces)


def _is_of(endpoint_slice: Obj, service: str) -> bool:
    return labels_of(endpoint_slice).get(SERVICE_NAME) == service
