"""Waiting in tests: for a condition, never for a time.

A limit matters only where a test fails, so it is generous: on a loaded machine everything is slow.
Neighbours: `controllers` and `tests/component/node/node.py`, whose worlds wait for what their caches show.
"""

from __future__ import annotations

import asyncio
import http.client
import inspect
import subprocess
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from skerry.kube.errors import NotFound

LIMIT = 120.0
"""Seconds after which what was waited for does not come."""
WITHIN = f"--timeout={LIMIT:.0f}s"
"""The same for kubectl and Helm."""
BUILDING = 1800.0
"""Seconds that an image of hundreds of packages may take: one minute on a quiet machine, ten beside everything else."""
WITH_IMAGES = BUILDING + 900.0
"""Seconds for a whole test that has such images made: to `pytest.mark.timeout`."""
_PAUSE = 0.02  # seconds between two looks
_NOT_YET = (
    AssertionError, LookupError, TypeError, AttributeError, ValueError, subprocess.CalledProcessError, OSError,
    http.client.HTTPException, NotFound,
)  # fmt: skip
"""What a condition may raise while what it looks at is not there."""
T = TypeVar("T")


def eventually(condition: Callable[[], T], what: str, seconds: float = LIMIT) -> T:
    """Wait until `condition` gives something true, and give that; the failure says what did not come, and the last
    error."""
    deadline = time.monotonic() + seconds
    while True:
        error: Exception | None = None
        try:
            if found := condition():
                return found
        except _NOT_YET as failed:
            error = failed
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s{f' ({error!r})' if error else ''}")
        time.sleep(_PAUSE)


async def until(condition: Callable[[], T | Awaitable[T]], what: str = "it", seconds: float = LIMIT) -> T:
    """`eventually` on an event loop. The condition may be asynchronous."""
    deadline = time.monotonic() + seconds
    while True:
        error: Exception | None = None
        try:
            given = condition()
            if found := await given if inspect.isawaitable(given) else given:
                return found
        except _NOT_YET as failed:
            error = failed
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s{f' ({error!r})' if error else ''}")
        await asyncio.sleep(_PAUSE)


async def until_raises(error: type[Exception], ask: Callable[[], Awaitable[object]]) -> None:
    """Wait until `ask` is answered with `error`: an object is gone, a request is refused by now."""

    async def refused() -> bool:
        try:
            await ask()
        except error:
            return True
        return False

    await until(refused, error.__name__)
