"""Claims on a WebDAV server: Apache's mod_dav, and davfs2, which mounts it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.engine.storage.contract import StorageError, Use
from tests.component.storage.remote import Site, site
from tests.support.storage_servers import PASSWORD, webdav_server
from tests.support.waiting import until

pytestmark = pytest.mark.root


@pytest.fixture
async def dav(tmp_path: Path) -> AsyncIterator[Site]:
    with webdav_server() as server:
        async with site(tmp_path / "machine", "webdav.storage.skerry.dev", server) as there:
            yield there


async def test_a_claim_lives_from_its_directory_to_its_end(dav: Site) -> None:
    volume = await dav.volume("notes", subDir="${pvc.metadata.namespace}/${pvc.metadata.name}")
    where = dav.server.files / "lab" / "notes"
    assert where.is_dir()
    one = await dav.show(volume, "one")
    (one / "page").write_text("a line")
    await until(lambda: (where / "page").read_text() == "a line", "the file on the server")
    pids = dav.pids(volume)
    dav.runs_without_rights_or(PASSWORD, pids)
    await dav.driver.close()
    dav.driver = dav.next_engine()
    two = await dav.show(volume, "two", read_only=True)
    assert dav.pids(volume) == pids
    assert (two / "page").read_text() == "a line"
    with pytest.raises(OSError, match="Read-only"):
        (two / "page").write_text("another")
    (one / "last").write_text("written at once before the end" * 10_000)
    await dav.hide(volume, one, two)
    assert (where / "last").read_text() == "written at once before the end" * 10_000
    await dav.driver.delete(volume.handle, dav.server.secrets)
    assert not where.exists()


async def test_what_is_wrong_is_said_and_a_silent_server_too(dav: Site) -> None:
    volume = await dav.volume("notes")
    with pytest.raises(StorageError) as error:
        await dav.driver.stage(dav.staging(volume, secrets={**dav.server.secrets, "password": "wrong"}))
    assert error.value.code == "UNAUTHENTICATED"
    assert "password" in error.value.message
    with pytest.raises(StorageError, match="insecure"):
        await dav.volume("more", insecure="false")
    staging = dav.staging(volume, Use(("ReadWriteMany",), mount_options=("read_timeout=4", "connect_timeout=4")))
    (dav.server.files / "pvc-notes" / "page").write_text("a line")
    await dav.driver.stage(staging)
    assert "page" in os.listdir(staging.path)
    dav.server.stop()
    with pytest.raises(OSError):
        await asyncio.to_thread((staging.path / "page").read_text)
    dav.server.go_on()
    await dav.driver.unstage(volume.handle, staging.path)


async def test_a_dataset_is_read_and_stays(dav: Site) -> None:
    await dav.reads_a_dataset()
