"""Signing in at an OpenID Connect provider: from the browser's coming back to the cookie it is given.

On a test cluster of its own, with a real provider (npm's oidc-provider). The floor: what the provider needs to exchange
the code and to answer userinfo, with our checks of the token, measured beside.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tests.support.browser import Browser, browser
from tests.support.javascript import Javascript
from tests.support.openid_provider import add_openid_provider, openid_provider, sign_in_elsewhere
from tests.support.platform import running_platform

from benchmarks.results import Row
from skerry.kube.clock import SystemClock
from skerry.platform.identity.oidc.party import Party
from skerry.platform.identity.types import OidcSettings

TIMES = 10
_ANNA = {"email": "anna@uni.example", "email_verified": True}


async def measure() -> Row:
    """Medians."""
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as made:
        folder = Path(made)
        (folder / "javascript").mkdir()
        javascript = Javascript.install(folder / "javascript")
        async with running_platform() as running, browser(running.platform.url, running.platform.ca) as someone:
            back = f"{running.platform.url}/identity/oidc/lab/callback"
            with openid_provider(javascript, folder / "lab", back, public=True) as lab:
                lab.say("1", **_ANNA)
                await add_openid_provider(running, "lab", lab)
                whole = [await _sign_in(someone) for _ in range(TIMES)]
                party = Party(OidcSettings.of({"issuer": lab.issuer, "clientId": "skerry"}), "", SystemClock())
                floor = [await _exchange(someone, party, back) for _ in range(TIMES)]
                await party.close()
    return Row("sign-in by OpenID Connect", _milliseconds(whole), "ms", _milliseconds(floor), 300)


async def _sign_in(someone: Browser) -> float:
    path = await sign_in_elsewhere(someone, "/identity/oidc/lab/start", "1")
    begun = time.perf_counter()
    answer = await someone.get(path, follow=False)
    taken = time.perf_counter() - begun
    if answer.status != 303:
        raise RuntimeError(answer.says())
    return taken


async def _exchange(someone: Browser, party: Party, back: str) -> float:
    began = await party.begin(back)
    path = await sign_in_elsewhere(someone, began.url, "1")
    query = dict(parse_qsl(urlsplit(path).query))
    begun = time.perf_counter()
    await party.finish(began, query)
    return time.perf_counter() - begun


def _milliseconds(taken: list[float]) -> float:
    return statistics.median(taken) * 1000
