"""Claims in an S3 bucket: JuiceFS's gateway, and s3fs, which mounts it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.engine.storage.contract import StorageError, Use
from tests.component.storage.remote import READING, Site, site
from tests.support.storage_servers import PASSWORD, s3_server
from tests.support.waiting import until

pytestmark = pytest.mark.root


@pytest.fixture
async def s3(tmp_path: Path) -> AsyncIterator[Site]:
    with s3_server(tmp_path / "server") as server:
        async with site(tmp_path / "machine", "s3.storage.skerry.dev", server) as there:
            yield there


async def test_a_claim_lives_from_its_directory_to_its_end(s3: Site) -> None:
    volume = await s3.volume("notes", subDir="claims/${pvc.metadata.namespace}/${pvc.metadata.name}")
    one = await s3.show(volume, "one")
    (one / "page").write_text("a line")
    pids = s3.pids(volume)
    s3.runs_without_rights_or(PASSWORD, pids)
    await s3.driver.close()
    s3.driver = s3.next_engine()
    told: list[str] = []
    s3.driver.on_trouble(lambda handle, text: told.append(text))
    two = await s3.show(volume, "two", read_only=True)
    assert s3.pids(volume) == pids
    with pytest.raises(OSError, match="Read-only"):
        (two / "page").write_text("another")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: told, "a report")
    three = await s3.show(volume, "three")
    assert (three / "page").read_text() == "a line"
    assert (three / "page").stat().st_mode & 0o777 == 0o777
    await s3.hide(volume, one, two, three)

    dataset = await s3.volume("reader", READING, dataset="true", subDir="claims/lab/notes")
    await s3.driver.stage(s3.staging(dataset, READING, secrets={}))  # a class may name the Secret for publishing only
    assert not s3.pids(dataset)
    pod = await s3.show(dataset, "one", READING, staged=True)
    assert (pod / "page").read_text() == "a line"
    with pytest.raises(OSError, match="Read-only"):
        (pod / "two").touch()
    await s3.hide(dataset, pod)
    await s3.driver.delete(dataset.handle, s3.server.secrets)
    await s3.driver.delete(volume.handle, s3.server.secrets)
    with pytest.raises(StorageError):
        await s3.volume("reader", READING, dataset="true", subDir="claims/lab/notes")


async def test_a_server_that_falls_silent_costs_an_error_and_no_more(s3: Site) -> None:
    impatient = ("readwrite_timeout=2", "connect_timeout=2", "retries=1", "stat_cache_expire=1")
    volume = await s3.volume("notes")
    staging = s3.staging(volume, Use(("ReadWriteMany",), mount_options=impatient))
    await s3.driver.stage(staging)
    (staging.path / "page").write_text("a line")
    s3.server.stop()
    with pytest.raises(OSError):
        await asyncio.wait_for(asyncio.to_thread((staging.path / "other").write_text, "lost"), 90)
    s3.server.go_on()
    assert await until(lambda: asyncio.to_thread((staging.path / "page").read_text), "it goes on") == "a line"
    s3.server.stop()
    await asyncio.wait_for(s3.driver.unstage(volume.handle, staging.path), 90)
    assert not s3.pids(volume)
    s3.server.go_on()


async def test_what_is_wrong_is_said(s3: Site) -> None:
    volume = await s3.volume("notes")
    with pytest.raises(StorageError) as error:
        await s3.driver.stage(s3.staging(volume, secrets={**s3.server.secrets, "secretAccessKey": "wrong"}))
    assert error.value.code == "UNAUTHENTICATED", error.value.message
    with pytest.raises(StorageError) as error:
        await s3.volume("more", bucket="nothing-here")
    assert error.value.code == "NOT_FOUND", error.value.message
    s3.server.stop()
    with pytest.raises(StorageError) as error:
        await s3.volume(
            "more", Use(("ReadWriteMany",), mount_options=("readwrite_timeout=2", "connect_timeout=2", "retries=1"))
        )
    assert error.value.code == "UNAVAILABLE", error.value.message
    s3.server.go_on()
