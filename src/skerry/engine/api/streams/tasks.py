"""Ending helper tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def cancelled(*tasks: asyncio.Task[Any]) -> AsyncIterator[None]:
    """On the way out, however, cancel the tasks and wait until they have ended. Errors are the body's to await."""
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
