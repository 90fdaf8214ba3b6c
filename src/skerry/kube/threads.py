"""Work that may hang in the kernel (files on a server that is gone), in a thread of its own.

The event loop's own pool has a handful of threads: a few that hang would stop everybody. These are made per call, cost
0.1 ms, and one that never comes back holds up nobody, the program's end included.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def in_own_thread(seconds: float | None, function: Callable[..., Result], *arguments: Any) -> Result:
    """What `function` returns or raises. Raises TimeoutError after so many seconds (None: never); the thread then goes
    on by itself, and what comes of it is dropped."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Result] = loop.create_future()

    def tell(settle: Callable[[Any], None], what: object) -> None:
        if not outcome.done():
            settle(what)

    def later(settle: Callable[[Any], None], what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, settle, what)

    def work() -> None:
        try:
            result = function(*arguments)
        except BaseException as error:
            later(outcome.set_exception, error)
        else:
            later(outcome.set_result, result)

    threading.Thread(target=work, daemon=True, name=getattr(function, "__name__", "work")).start()
    async with asyncio.timeout(seconds):
        return await outcome
