"""A third party's driver through its socket: every call of the contract, and what becomes of those not answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from skerry.engine.storage.contract import (
    Ability,
    Publishing,
    Staging,
    StorageError,
    Use,
    VolumeRequest,
    VolumeSource,
)
from skerry.engine.storage.csi import client as clients
from skerry.engine.storage.csi.facts import abilities, ask
from skerry.engine.storage.csi.remote_driver import RemoteDriver
from tests.component.csi.running import client_of, running_driver
from tests.support.csi_driver import NAME, TOPOLOGY, calls

USE = Use(("ReadWriteOnce",), fs_type="ext4", mount_options=("noatime",))
REQUEST = VolumeRequest("pvc-1", 1 << 20, USE, parameters={"color": "red"}, secrets={"password": "s3cret"})


async def _remote(client: clients.CsiClient) -> RemoteDriver:
    facts = await ask(client)
    return RemoteDriver(client, facts, abilities(facts, engine_controls=True, attach=True))


async def test_a_volume_is_made_grown_copied_and_deleted(folder: Path) -> None:
    """The controller side; each call twice, as after a crash."""
    async with running_driver(folder) as process, client_of(process) as client:
        driver = await _remote(client)
        assert (driver.name, driver.facts.node_id, driver.facts.most_volumes) == (NAME, "machine-1", 7)
        assert driver.abilities >= {Ability.PROVISION, Ability.STAGE, Ability.SNAPSHOT, Ability.CLONE, Ability.ATTACH}
        volume = await driver.create(REQUEST)
        assert volume == await driver.create(REQUEST)
        assert (volume.handle, volume.size, volume.context) == ("vol-pvc-1", 1 << 20, {"color": "red"})
        assert volume.nodes == ({TOPOLOGY: "machine-1"},)
        assert await driver.expand(volume.handle, 2 << 20, {}) == await driver.expand(volume.handle, 2 << 20, {})
        (process.state / "data" / volume.handle / "file").write_text("kept")

        snapshot = await driver.snapshot("one", volume.handle, {}, {})
        assert snapshot == await driver.snapshot_of(snapshot.handle, {})
        copies = [VolumeSource(snapshot=snapshot.handle), VolumeSource(volume=volume.handle)]
        for number, source in enumerate(copies):
            copy = await driver.create(replace(REQUEST, name=f"copy-{number}", source=source))
            assert (process.state / "data" / copy.handle / "file").read_text() == "kept"
        assert [each.handle for each in await driver.volumes()] == ["vol-copy-0", "vol-copy-1", "vol-pvc-1"]
        assert await driver.capacity({}) == 1 << 40

        await driver.delete_snapshot(snapshot.handle, {})
        assert await driver.snapshot_of(snapshot.handle, {}) is None
        for _ in range(2):
            await driver.delete(volume.handle, {})
        assert not (process.state / "data" / volume.handle).exists()


async def test_a_volume_is_attached_mounted_and_taken_back(folder: Path) -> None:
    """In the order a container orchestrator must keep; each call twice, as after a crash."""
    async with running_driver(folder, "--attach") as process, client_of(process) as client:
        driver = await _remote(client)
        volume = await driver.create(REQUEST)
        attachment = await driver.attach(volume.handle, USE, volume.context, {})
        staged, target = folder / "staged", folder / "pods" / "uid" / "mount"
        staged.mkdir()
        staging = Staging(volume.handle, staged, USE, volume.context, {}, attachment)
        pod = {"csi.storage.k8s.io/pod.name": "a"}
        publishing = Publishing(volume.handle, staged, target, USE, False, volume.context, {}, attachment, pod)
        for _ in range(2):
            await driver.stage(staging)
        for _ in range(2):
            await driver.publish(publishing)
        (target / "volume" / "file").write_text("kept")
        assert (await driver.stats(volume.handle, target)).used == 4
        assert await driver.expand_on_node(volume.handle, target, 2 << 20) == 2 << 20

        for _ in range(2):
            await driver.unpublish(volume.handle, target)
        for _ in range(2):
            await driver.unstage(volume.handle, staged)
        for _ in range(2):
            await driver.detach(volume.handle, {})
        assert not target.exists()
        (published, *_) = calls(process.state, "NodePublishVolume")
        assert published["volume_context"] == {"color": "red", **pod}
        assert published["publish_context"] == {"device": "/dev/vol-pvc-1"}
        assert published["volume_capability"]["access_mode"] == {"mode": 7}  # it tells one pod from several
        assert published["volume_capability"]["mount"] == {"fs_type": "ext4", "mount_flags": ["noatime"]}


async def test_failures_are_told_by_their_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals, an answer that never comes, death in a call, nobody there; and the next call works when it is back."""
    async with running_driver(folder) as process, client_of(process) as client:
        driver = await _remote(client)
        volume = await driver.create(REQUEST)
        with pytest.raises(StorageError, match="has 1048576 bytes") as refused:
            await driver.create(replace(REQUEST, size=1 << 30))
        assert refused.value.code == "ALREADY_EXISTS"
        assert refused.value.is_final
        publishing = Publishing(volume.handle, folder / "staged", folder / "t", USE, False, {}, {"password": "s3cret"})
        with pytest.raises(StorageError) as refused:
            await driver.publish(publishing)
        assert refused.value.code == "FAILED_PRECONDITION"
        assert "s3cret" not in str(refused.value)

        process.misbehave(ListVolumes="hang", NodeGetVolumeStats="INTERNAL")
        monkeypatch.setattr("skerry.engine.storage.csi.remote_driver.LONG", 0.2)
        with pytest.raises(StorageError) as hanging:
            await driver.volumes()
        assert hanging.value.code == "DEADLINE_EXCEEDED"
        assert not hanging.value.is_final
        with pytest.raises(StorageError, match="as the test wants it"):
            await driver.stats(volume.handle, folder)
        monkeypatch.undo()

        process.misbehave(DeleteVolume="die")
        with pytest.raises(StorageError) as dead:
            await driver.delete(volume.handle, {})
        assert dead.value.code == "UNAVAILABLE"
        await process.died()
        with pytest.raises(StorageError) as nobody:
            await driver.delete(volume.handle, {})
        assert nobody.value.code == "UNAVAILABLE"
        assert not nobody.value.is_final
        process.misbehave()
        await process.start()
        await driver.delete(volume.handle, {})
        assert not await driver.volumes()


async def test_what_was_not_announced_is_refused_without_asking(folder: Path) -> None:
    """The sidecars of a chart drive the controller side unless its CSIDriver says that the engine does."""
    async with running_driver(folder) as process, client_of(process) as client:
        facts = await ask(client)
        driver = RemoteDriver(client, facts, abilities(facts, engine_controls=False, attach=False))
        before = len(process.asked())
        for call in (driver.create(REQUEST), driver.delete("x", {}), driver.expand("x", 1, {}), driver.volumes()):
            with pytest.raises(StorageError) as refused:
                await call
            assert refused.value.code == "UNIMPLEMENTED"
            assert NAME in refused.value.message
        assert await driver.capacity({}) is None
        assert len(process.asked()) == before
