"""The platform is killed, again and again, while it counts: what is written is what pods requested, to the second."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from skerry.kube.clock import parse_time
from skerry.kube.errors import StatusError
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import load_kubeconfig
from skerry.kube.objects import Obj, Resource, name_of
from skerry.kube.resources import PODS
from skerry.platform.usage.amounts import Amounts, together, total_of
from skerry.platform.usage.metering.spans import pod_span, used_between
from skerry.platform.usage.projects import PROJECTS
from skerry.platform.usage.types import USAGE_DAYS, UsageDayStatus, tally_of
from skerry.testing import cluster
from tests.component.platform.test_usage import pod, project
from tests.support.waiting import until

_DEATHS = 3


@asynccontextmanager
async def _platform(kubeconfig: Path, log: Path) -> AsyncIterator[None]:
    """A process of its own; it ends by SIGKILL."""
    command = [sys.executable, "-m", "skerry.platform.program", "--kubeconfig", str(kubeconfig)]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # returns at once
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def test_nothing_counts_twice_after_kill_9(tmp_path: Path) -> None:
    log = tmp_path / "platform.log"
    with cluster() as made:
        async with HttpClient(load_kubeconfig(made.kubeconfig)) as admin:
            reach = 0
            for death in range(_DEATHS):
                async with _platform(made.kubeconfig, log):
                    if not death:
                        await _make(admin, PROJECTS, project("lidar"))
                    await _make(admin, PODS, pod(f"pod-{death}", "250m"), "lidar")
                    reach = await until(lambda after=reach: _counted_after(admin, after), "counted")
                await _judge(admin)


async def _make(admin: HttpClient, resource: Resource, obj: Obj, namespace: str | None = None) -> None:
    """As soon as the platform is there."""

    async def made() -> bool:
        with contextlib.suppress(StatusError):
            await admin.create(resource, obj, namespace)
            return True
        return False

    await until(made, name_of(obj))


async def _written(admin: HttpClient) -> tuple[Amounts, int]:
    days = [UsageDayStatus.of(one.get("status")) for one in (await admin.list(USAGE_DAYS)).items]
    reach = [int(one.counted_until.timestamp()) for one in days if one.counted_until]
    return total_of(together(*(tally_of(one) for one in days)).values()), max(reach, default=0)


async def _counted_after(admin: HttpClient, after: int) -> int:
    """Until when, once that is later."""
    _, reach = await _written(admin)
    return reach if reach > after else 0


async def _judge(admin: HttpClient) -> None:
    written, reach = await _written(admin)
    opened = int(parse_time((await admin.get(PROJECTS, "lidar"))["metadata"]["creationTimestamp"]).timestamp())
    spans = [pod_span(one) for one in (await admin.list(PODS, "lidar")).items]
    true = total_of(used_between(one, opened, reach) for one in spans if one is not None)
    assert written == true
    assert written.cpu > 0
