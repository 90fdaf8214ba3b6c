"""Signing in with a password of the platform's own: from the form that is sent to the cookie that comes back.

On a test cluster of its own, over HTTPS. The floor: the hash of the password alone, which is meant to take its time.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from urllib.parse import urlsplit

from tests.support.browser import Browser, browser
from tests.support.people import add_user, sessions_in
from tests.support.platform import running_platform

from benchmarks.results import Row
from skerry.kube.clock import SystemClock
from skerry.platform.identity.local.links import make_link
from skerry.platform.identity.local.passwords import HASHER
from skerry.platform.identity.sessions.sessions import Sessions, Wanted

TIMES, LOOKUPS = 20, 20_000
_PASSWORD = "correct horse battery"


async def measure() -> list[Row]:
    """Medians of the round trip; one look-up, as every request through the gateway needs."""
    async with running_platform() as running, browser(running.platform.url, running.platform.ca) as someone:
        await add_user(running, "anna")
        link = await make_link(running.admin, SystemClock(), running.platform.url, "Password", "anna")
        page = await someone.get(urlsplit(link).path)
        await someone.submit(page, urlsplit(link).path, password=_PASSWORD, again=_PASSWORD)
        round_trips = [await _sign_in(someone) for _ in range(TIMES)]
        floor = await asyncio.to_thread(_hash)
        look_up = await _look_up(sessions_in(running))
    return [
        Row("sign-in with a password", statistics.median(round_trips) * 1000, "ms", floor * 1000, 300),
        Row("whose a token is", look_up * 1e6, "us", None, 200),
    ]


async def _sign_in(someone: Browser) -> float:
    page = await someone.get("/identity/sign-in")
    begun = time.perf_counter()
    answer = await someone.submit(page, "/identity/sign-in", username="anna", password=_PASSWORD)
    taken = time.perf_counter() - begun
    if answer.status != 303:
        raise RuntimeError(answer.says())
    return taken


async def _look_up(sessions: Sessions) -> float:
    opened = await sessions.open(Wanted("anna", "CommandLine"))
    begun = time.perf_counter()
    for _ in range(LOOKUPS):
        if sessions.person_of(opened.access) is None:
            raise RuntimeError("not recognised")
    return (time.perf_counter() - begun) / LOOKUPS


def _hash() -> float:
    hashed = HASHER.hash(_PASSWORD)
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        HASHER.verify(hashed, _PASSWORD)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
