"""The rules of a thousand services with three endpoints each: loaded as a whole, and one change of one of them.

Measured from forwards to the end of `nft`, in a network namespace of its own (`python -m benchmarks.service_rules`
prints both in milliseconds); the floor is `nft` with the finished text.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.results import Row
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.network.family import families_of
from skerry.engine.network.loading import change, whole
from skerry.engine.network.services import Backend, Forward
from skerry.engine.network.tables import table_of

_SERVICES, _ENDPOINTS, _TIMES = 1000, 3, 7


async def measure() -> list[Row]:
    """Both rows."""
    command = ["unshare", "--net", sys.executable, "-m", "benchmarks.service_rules"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    found = json.loads(output)
    return [
        Row("1,000 services loaded", found["whole"], "ms", found["whole floor"], 500),
        Row("one of 1,000 services changed", found["change"], "ms", found["change floor"], 50),
    ]


def _forward(number: int, endpoints: int) -> Forward:
    first = number * _ENDPOINTS
    backends = tuple(Backend(f"10.64.{one // 250}.{one % 250 + 1}", 8080) for one in range(first, first + endpoints))
    address = f"10.65.{number // 250}.{number % 250 + 1}"
    return Forward(f"svc/default/s{number}/tcp-80", "tcp", backends, (address,), 80)


def _load(text: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)


def _milliseconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _measure_here() -> dict[str, float]:
    paths = Paths(Path("/nowhere"), Path("/nowhere"))
    config = EngineConfig("be2c", paths, "here", "127.0.0.1", 0, "10.64.0.0/16", "10.65.0.0/16")
    forwards = [_forward(number, _ENDPOINTS) for number in range(_SERVICES)]
    (family,) = families_of(config)
    table = table_of(family, forwards)
    times: dict[str, list[float]] = {"whole": [], "whole floor": [], "change": [], "change floor": []}
    for turn in range(_TIMES):
        text = whole(family, table)
        times["whole"].append(_milliseconds(lambda: _load(whole(family, table_of(family, forwards)))))
        times["whole floor"].append(_milliseconds(lambda text=text: _load(text)))  # type: ignore[misc]
        forwards[turn] = _forward(turn, _ENDPOINTS - 1)
        old = table
        times["change"].append(_milliseconds(lambda old=old: _load(change(family, old, table_of(family, forwards)))))  # type: ignore[misc]
        table = table_of(family, forwards)
        times["change floor"].append(_milliseconds(lambda old=old, new=table: _load(change(family, new, old))))  # type: ignore[misc]
        _load(change(family, old, table))
    return {name: statistics.median(found) for name, found in times.items()}


def one_change() -> float:
    """Milliseconds of an `nft` that changes the only service of a table. In a network namespace of its own."""
    paths = Paths(Path("/nowhere"), Path("/nowhere"))
    config = EngineConfig("be2c", paths, "here", "127.0.0.1", 0, "10.64.0.0/16", "10.65.0.0/16")
    (family,) = families_of(config)
    tables = [table_of(family, [_forward(0, endpoints)]) for endpoints in (1, 2)]
    _load(whole(family, tables[0]))
    texts = [change(family, old, new) for old, new in (tables, tables[::-1])]
    return statistics.median(_milliseconds(lambda text=text: _load(text)) for text in texts * _TIMES)  # type: ignore[misc]


if __name__ == "__main__":
    print(json.dumps(_measure_here()))
