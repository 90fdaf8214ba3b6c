"""The HTTPS client for webhooks: a review out, a review back, by URL or by Service.

A Service is reached at its cluster address; its certificate must be that of `<name>.<namespace>.svc`. Without a CA
bundle the machine's own authorities count. Answers are bounded, redirects refused. aiohttp is imported at the first
call: most clusters have no webhook. Source: apiserver `pkg/util/webhook/client.go`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import orjson

from skerry.engine.api.trust import BadBundle, Contexts, trusting
from skerry.engine.store.contract import Key, Store
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    import aiohttp

_LARGEST = 16 * 1024 * 1024
"""Bytes of an answer."""


class WebhookFailure(Exception):
    """The webhook could not be reached, or did not answer as it should; the message says which."""


class Destination(NamedTuple):
    """Where to connect, and the name the certificate must have ("" for the URL's own)."""

    url: str
    server_name: str = ""


ServiceAddress = Callable[[str, str], str]
"""The cluster address of a Service (namespace, name). Raises WebhookFailure."""


class WebhookClient:
    """Keeps connections and TLS settings. Made once; `close` it."""

    def __init__(self, address_of: ServiceAddress) -> None:
        self._address_of = address_of
        self._session: aiohttp.ClientSession | None = None
        self._contexts = Contexts(trusting)

    async def call(self, config: Obj, review: Obj, seconds: float, query: str = "") -> Obj:
        """POST a review to a `WebhookClientConfig`; the decoded answer. Raises WebhookFailure. `query`: for the URL
        ("?timeout=10s")."""
        import aiohttp

        where = self._destination(config, query)
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.post(
                    where.url,
                    data=orjson.dumps(review),
                    headers=_headers(where),
                    ssl=self._context(config.get("caBundle") or ""),
                    server_hostname=where.server_name or None,
                    allow_redirects=False,
                ) as response,
            ):
                body = await _read(response)
                if response.status // 100 != 2:
                    raise WebhookFailure(
                        f"the server answered {response.status}: {body[:200].decode(errors='replace')}"
                    )
        except TimeoutError:
            raise WebhookFailure(f'Post "{_shown(config, where)}": context deadline exceeded') from None
        except (aiohttp.ClientError, OSError) as error:
            raise WebhookFailure(f'Post "{_shown(config, where)}": {error}') from error
        return _decoded(body)

    async def close(self) -> None:
        """Drop the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _destination(self, config: Obj, query: str) -> Destination:
        if config.get("url"):
            return Destination(f"{config['url']}{query}")
        service = config.get("service")
        if not service:
            raise WebhookFailure("webhook configuration must have either service or URL")
        path = f"{service.get('path') or '/'}{query}"
        address = self._address_of(service["namespace"], service["name"])
        host = f"{service['name']}.{service['namespace']}.svc"
        return Destination(f"https://{address}:{service.get('port') or 443}{path}", host)

    def _context(self, bundle: str) -> ssl.SSLContext:
        try:
            return self._contexts.of(bundle)
        except BadBundle as error:
            raise WebhookFailure(str(error)) from error


def cluster_addresses(store: Store) -> ServiceAddress:
    """Look Services up in the store."""

    def find(namespace: str, name: str) -> str:
        entry = store.get(Key("services", namespace, name))
        if entry is None:
            raise WebhookFailure(f'service "{name}" not found')
        address = str((entry.shared().get("spec") or {}).get("clusterIP") or "")
        if not address or address == "None":
            raise WebhookFailure(f'service "{name}" has no cluster address')
        return address

    return find


def _headers(where: Destination) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return {**headers, "Host": where.server_name} if where.server_name else headers


def _shown(config: Obj, where: Destination) -> str:
    """The address as people know it."""
    if not where.server_name:
        return where.url
    _, _, rest = where.url.removeprefix("https://").partition("/")
    return f"https://{where.server_name}:{config['service'].get('port') or 443}/{rest}"


async def _read(response: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_chunked(64 * 1024):
        size += len(chunk)
        if size > _LARGEST:
            raise WebhookFailure(f"the answer is longer than {_LARGEST} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _decoded(body: bytes) -> Obj:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WebhookFailure(f"the answer is no JSON: {error}") from None
    if not isinstance(answer, dict):
        raise WebhookFailure("the answer is no object")
    return answer
