"""A browser as far as signing in needs one: cookies, forms, redirects. No scripts, as our pages have none."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import aiohttp
from yarl import URL


class Answer:
    """What came back, read."""

    def __init__(self, response: aiohttp.ClientResponse, text: str) -> None:
        self.status, self.headers, self.text = response.status, response.headers, text
        self.url = response.url

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the last form of the page."""
        form = self.text.rpartition("<form")[2]
        found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
        return {unescape(name): unescape(value) for name, value in found}

    def says(self) -> str:
        """The page's text."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", self.text)))


class Browser:
    """With cookies of its own."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self._session = url, session

    async def get(self, path: str, *, follow: bool = True, headers: dict[str, str] | None = None) -> Answer:
        async with self._session.get(f"{self.url}{path}", allow_redirects=follow, headers=headers) as response:
            return Answer(response, await response.text())

    async def post(
        self, path: str, follow: bool = False, headers: dict[str, str] | None = None, **fields: str
    ) -> Answer:
        async with self._session.post(
            f"{self.url}{path}", data=fields, allow_redirects=follow, headers=headers
        ) as response:
            return Answer(response, await response.text())

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of an answer that goes on; leaving it ends the connection."""
        async with self._session.get(f"{self.url}{path}") as response:
            assert response.status == 200, await response.text()
            yield (line.decode().rstrip("\n") async for line in response.content)

    async def ask(
        self, method: str, url: str, fields: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Any address, also elsewhere; redirects are not followed."""
        async with self._session.request(method, url, data=fields, headers=headers, allow_redirects=False) as response:
            return Answer(response, await response.text())

    async def submit(self, page: Answer, path: str, **fields: str) -> Answer:
        """The page's last form, filled in."""
        return await self.post(path, **{**page.hidden(), **fields})

    async def json(self, path: str, **fields: str) -> dict[str, Any]:
        """What an address for programs answers to a form, errors too."""
        return json.loads((await self.post(path, **fields)).text)  # type: ignore[no-any-return]

    def cookie(self, name: str) -> str:
        """What is kept of this name."""
        return next(one.value for one in self._session.cookie_jar if one.key == name)

    def keep(self, name: str, value: str) -> None:
        """A cookie of this host."""
        self._session.cookie_jar.update_cookies({name: value}, URL(self.url))

    def forget(self) -> None:
        """As another browser."""
        self._session.cookie_jar.clear()


@asynccontextmanager
async def browser(url: str, ca: bytes) -> AsyncIterator[Browser]:
    """One that trusts `ca` (PEM)."""
    context = ssl.create_default_context(cadata=ca.decode())
    jar = aiohttp.CookieJar(unsafe=True)  # 127.0.0.1 is no name
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), cookie_jar=jar) as session:
        yield Browser(url, session)
