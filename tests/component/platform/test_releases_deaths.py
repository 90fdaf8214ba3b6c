"""A platform that is killed while Helm works: Helm ends with it, and the next one takes up what was left."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import tempfile
from pathlib import Path

import pytest

from skerry.kube.http_client import HttpClient
from skerry.kube.resources import NODES, SECRETS
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RELEASES
from skerry.testing import cluster
from tests.component.platform.releasing import release, until_reason
from tests.component.platform.test_projects import project
from tests.support.platform import running_on
from tests.support.waiting import until


async def test_what_a_killed_platform_left_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where no platform of another test sweeps what is left
    with cluster(nodes=0) as made:
        async with HttpClient.from_kubeconfig(made.kubeconfig) as admin:
            first = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "skerry.platform.program", "--kubeconfig", str(made.kubeconfig),
                env={**os.environ, "TMPDIR": str(tmp_path)},
            )  # fmt: skip
            try:
                await until(lambda: is_made(admin), "the project is there")
                wanted = release("web", chart={"name": "web-application", "catalog": "skerry"}, timeoutSeconds=600)
                await until(lambda: is_created(admin, wanted), "releases are served")
                await until(lambda: states(admin, "pending-install"), "helm waits for a node")
                (helm,) = await until(lambda: helms_of(first.pid), "helm")
            finally:
                first.kill()
                await first.wait()
            await until(lambda: not Path(f"/proc/{helm}/exe").exists(), "helm ended with the platform")
            left = [one for one in tmp_path.glob("skerry-private-releases-*") if is_nobodys(one)]
            assert left, "with a token in it"
            await admin.create(NODES, {"metadata": {"name": "late"}})
            async with running_on(made):
                assert not any(one.exists() for one in left)
                await until_reason(admin, "web", "Deployed")


def is_nobodys(directory: Path) -> bool:
    """Whether whoever made it is no more."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(opened)
    return True


def helms_of(parent: int) -> list[int]:
    """Processes of Helm that this one started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(one) for one in children if b"helm" in Path(f"/proc/{one}/cmdline").read_bytes()]


async def is_made(admin: HttpClient) -> bool:
    """Makes the project as soon as projects are served."""
    try:
        found = await admin.list(PROJECTS)
        if not found.items:
            await admin.create(PROJECTS, project("lidar"))
        return any((one.get("status") or {}).get("phase") == "Active" for one in found.items)
    except Exception:
        return False


async def is_created(admin: HttpClient, wanted: dict[str, object]) -> bool:
    try:
        return bool(await admin.create(RELEASES, wanted, "lidar"))
    except Exception:
        return False


async def states(admin: HttpClient, state: str) -> bool:
    found = (await admin.list(SECRETS, "lidar")).items
    return state in [(one["metadata"].get("labels") or {}).get("status") for one in found]
