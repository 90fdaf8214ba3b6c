"""Work that blocks, away from the event loop: a driver's own few threads, and errors of the kernel in the contract's
words.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from skerry.engine.storage.contract import StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
T = TypeVar("T")


class Threads:
    """Those of one driver; made at the first call."""

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count = name, count
        self._pool: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises StorageError, also in the place of OSError."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._count, f"{self._name}-storage")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except OSError as error:
            code = "RESOURCE_EXHAUSTED" if error.errno in _FULL else "INTERNAL"
            where = f" ({error.filename})" if error.filename else ""
            raise StorageError(code, f"{self._name} storage: {error.strerror or error}{where}") from error
