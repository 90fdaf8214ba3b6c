"""Asks registries whether they have images, as containerd will: HEAD of the manifest, anonymously.

Source: the OCI distribution specification, and the token flow of the distribution project. Only `skerry check` asks:
whoever writes an image's name chooses the server that is asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    import aiohttp

_SECONDS = 15.0
_AT_ONCE = 6
_TYPES = ", ".join((
    "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
))  # fmt: skip
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_ELSEWHERE = {"docker.io": "registry-1.docker.io"}
_HERE = ("localhost", "127.0.0.1", "::1")


async def asked(images: Iterable[str]) -> Mapping[str, str]:
    """By full name: "" when the registry has it, otherwise why it cannot be pulled. Registries that do not answer, or
    that want to know who asks, are left out: they prove nothing."""
    import aiohttp

    turn = asyncio.Semaphore(_AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:

        async def one(image: str) -> tuple[str, str | None]:
            async with turn:
                return image, await _asked(session, image)

        answers = await asyncio.gather(*(one(image) for image in sorted(set(images))))
    return {image: said for image, said in answers if said is not None}


async def _asked(session: aiohttp.ClientSession, image: str) -> str | None:
    import aiohttp

    url = manifest_url(image)
    try:
        status, challenge = await _head(session, url, "")
        if status == 401 and (token := await _token(session, challenge)):
            status, _ = await _head(session, url, token)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    if status == 404:
        return "its registry has no such image"
    return "" if status == 200 else None


def manifest_url(image: str) -> str:
    """Where the manifest of an image (by its full name) is."""
    host, _, rest = image.partition("/")
    path, _, reference = rest.partition("@")
    if not reference:
        path, _, reference = rest.rpartition(":")
    else:
        path = path.partition(":")[0]
    scheme = "http" if _is_here(f"http://{host}/") else "https"
    return f"{scheme}://{_ELSEWHERE.get(host, host)}/v2/{quote(path)}/manifests/{quote(reference, safe=':')}"


def _is_here(url: str) -> bool:
    """Whether a server is on this machine, where TLS is not asked for."""
    return urlsplit(url).hostname in _HERE


async def _head(session: aiohttp.ClientSession, url: str, token: str) -> tuple[int, str]:
    headers = {"Accept": _TYPES} | ({"Authorization": f"Bearer {token}"} if token else {})
    async with session.head(url, headers=headers, allow_redirects=True) as answer:
        return answer.status, answer.headers.get("WWW-Authenticate", "")


async def _token(session: aiohttp.ClientSession, challenge: str) -> str:
    """A token for nobody in particular, "" when there is none to be had."""
    asked = dict(_CHALLENGE.findall(challenge))
    realm = asked.pop("realm", "")
    if not challenge.lower().startswith("bearer ") or not (realm.startswith("https://") or _is_here(realm)):
        return ""
    async with session.get(realm, params={key: asked[key] for key in ("service", "scope") if key in asked}) as answer:
        if answer.status != 200:
            return ""
        given = await answer.json(content_type=None)
    return str(given.get("token") or given.get("access_token") or "")
