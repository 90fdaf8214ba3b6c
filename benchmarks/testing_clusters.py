"""`skerry.testing`: until a test cluster is ready, the first in a process (imports included) and those after it.

The floor of the first: a process that imports what others wrote for it (TLS, certificates, event loop, HTTP, JSON).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys

from benchmarks.results import Row

TIMES = 5
_FLOOR = """
import asyncio, json, ssl, tempfile, time
import httptools, orjson, uvloop
from cryptography import x509
from cryptography.hazmat.primitives import serialization
print(json.dumps([time.perf_counter() - begun]))
"""
_CLUSTERS = """
import json
from skerry.testing import cluster
taken = []
for _ in range(4):
    with cluster():
        taken.append(time.perf_counter() - begun)
    begun = time.perf_counter()
print(json.dumps(taken))
"""


async def measure() -> list[Row]:
    """The two rows, medians."""
    runs = [await _seconds(_CLUSTERS) for _ in range(TIMES)]
    floors = [await _seconds(_FLOOR) for _ in range(TIMES)]
    first, later = [run[0] for run in runs], [seconds for run in runs for seconds in run[1:]]
    floor = statistics.median(seconds for run in floors for seconds in run)
    return [
        Row("test cluster ready, the first", statistics.median(first), "s", floor, 0.2),
        Row("test cluster ready, the next ones", statistics.median(later), "s", None, 0.2),
    ]


async def _seconds(code: str) -> list[float]:
    """What a fresh process prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"import time\nbegun = time.perf_counter()\n{code}", stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("a test cluster did not start")
    found: list[float] = json.loads(output)
    return found
