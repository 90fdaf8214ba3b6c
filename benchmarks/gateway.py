"""One object read through the platform's gateway; the floor is the same straight from the API, by certificate.

On a test cluster, in one process with gateway and client: what is measured is their work, one after the other.
"""

from __future__ import annotations

import statistics
import time

from tests.support.gateway import allow, client_of, signed_in
from tests.support.people import add_user
from tests.support.platform import running_platform

from benchmarks.results import Row
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES

TIMES = 500


async def measure() -> list[Row]:
    """Medians."""
    async with running_platform() as running:
        await running.admin.create(NAMESPACES, {"metadata": {"name": "lab"}})
        await running.admin.create(CONFIG_MAPS, {"metadata": {"name": "one"}, "data": {"a": "b"}}, "lab")
        await add_user(running, "anna")
        await allow(running, "anna", "view", "lab")
        async with client_of(running, (await signed_in(running, "anna")).access) as anna:
            through, straight = await _get(anna), await _get(running.admin)
    return [Row("get through the gateway", through * 1000, "ms", straight * 1000, 5)]


async def _get(client: HttpClient) -> float:
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        await client.get(CONFIG_MAPS, "one", "lab")
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
