"""The data of a project's volumes on a test cluster: kept before anything is purged, or nothing is; and back again.

Nodes are simulated, so `tests.support.archiver` says what the pods would. What these do to real files is in
tests/component/node/test_archiving.py, how volumes are handed over in tests/component/storage/test_refilling.py.
"""

from __future__ import annotations

from typing import Any

from skerry.kube.conditions import condition_is_true, condition_of
from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    RESOURCE_QUOTAS,
)
from skerry.platform.projects.lifecycle.archiving.copying import KEPT as KEPT_NOTE
from skerry.platform.projects.types import PROJECTS, TIERS
from skerry.testing import cluster
from tests.support.archiver import KEPT, MEASURED, running_archiver
from tests.support.cli import run
from tests.support.clock import SetClock
from tests.support.platform import RunningPlatform, running_on, running_platform
from tests.support.waiting import until

DAY = 24 * 3600
ARCHIVES = "skerry-archives"
_LIMITS = {"limits": {"cpu": "100m", "memory": "64Mi"}}


class Lidar:
    """A project whose Deployment writes to a claim."""

    def __init__(self, admin: HttpClient, clock: SetClock) -> None:
        self.admin, self._clock = admin, clock

    async def begin(self) -> None:
        """Made, with the claim bound."""
        await self.admin.patch(TIERS, "free", {"spec": {"purgeDays": 20, "podSecurity": "privileged"}})
        await self.admin.create(PROJECTS, {"metadata": {"name": "lidar"}, "spec": {"owner": "anna", "tier": "free"}})
        await until(self.is_ready, "its namespace is there")
        await self.claim("data")

    async def claim(self, name: str, **more: Any) -> None:
        """A claim and what uses it, once it is bound."""
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **more}
        await self.admin.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": name}, "spec": spec}, "lidar")
        container = {"name": "c", "image": "x", "resources": _LIMITS}
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": name}}]
        labels = {"app": f"uses-{name}"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        await self.admin.create(DEPLOYMENTS, {"metadata": {"name": labels["app"]}, "spec": spec}, "lidar")
        await until(lambda: self.is_bound(name), f"{name} is bound")

    async def is_bound(self, name: str) -> bool:
        claim = await self.admin.get(PERSISTENT_VOLUME_CLAIMS, name, "lidar")
        return bool((claim.get("status") or {}).get("phase") == "Bound")

    async def is_ready(self) -> bool:
        return condition_is_true(await self.admin.get(PROJECTS, "lidar"), "Ready")

    async def state(self, state: str) -> None:
        await self.admin.patch(PROJECTS, "lidar", {"spec": {"state": state}})

    async def status(self) -> Obj:
        return (await self.admin.get(PROJECTS, "lidar")).get("status") or {}

    async def until(self, name: str, wanted: str) -> None:
        async def said() -> bool:
            return (await self.status()).get(name) == wanted

        await until(said, f"{name} {wanted}")

    async def until_kept(self, *words: str) -> str:
        """What the condition `Kept` says, once it has these words."""

        async def said() -> str:
            one = condition_of(await self.admin.get(PROJECTS, "lidar"), "Kept") or {}
            text = f"{one['reason']}: {one['message']}"
            assert all(word in text for word in words), text
            return text

        return await until(said, f"Kept: {words}")

    async def days_pass(self, days: float) -> None:
        self._clock.advance(days * DAY)
        metadata = {"annotations": {"looked-at": str(self._clock.now())}}
        await self.admin.patch(PROJECTS, "lidar", {"metadata": metadata})

    async def is_gone(self) -> bool:
        return not any(name_of(one) == "lidar" for one in (await self.admin.list(PROJECTS)).items)

    async def leftovers(self) -> list[str]:
        """Of what archives, but for the claims that have data."""
        volumes = [name_of(one) for one in (await self.admin.list(PERSISTENT_VOLUMES)).items]
        claims = [name_of(one) for one in await self.kept() if KEPT_NOTE not in (one["metadata"]["annotations"])]
        pods = [name_of(one) for one in (await self.admin.list(PODS, ARCHIVES)).items]
        return [*(one for one in volumes if one.endswith("-source")), *claims, *pods]

    async def kept(self) -> list[Obj]:
        found = (await self.admin.list(PERSISTENT_VOLUME_CLAIMS, ARCHIVES)).items
        return [one for one in found if not name_of(one).endswith(("-source", "-fill"))]


async def begun(running: RunningPlatform, clock: SetClock) -> Lidar:
    lidar = Lidar(running.admin, clock)
    await lidar.begin()
    return lidar


async def test_data_is_kept_purged_and_restored() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, running_archiver(running.admin) as archiver:
        admin, lidar = running.admin, await begun(running, clock)
        await admin.create(CONFIG_MAPS, {"metadata": {"name": "kept"}, "data": {"a": "b"}}, "lidar")
        volume = (await admin.get(PERSISTENT_VOLUME_CLAIMS, "data", "lidar"))["spec"]["volumeName"]
        await lidar.state("Archived")
        await lidar.until_kept("Archived: the data of 1 volumes, 1 MiB")
        (entry,) = (await lidar.status())["archive"]["data"]
        assert {entry[name] for name in ("claim", "size", "sha256")} == {"lidar/data", "1Gi", KEPT["sha256"]}
        (kept,) = await lidar.kept()
        assert kept["spec"]["resources"]["requests"]["storage"] == "68Mi", "as much as was measured, and a little more"
        assert [one.rpartition("-")[2] for one in archiver.seen] == ["measure", "copy"]

        async def is_tidy() -> bool:
            return not await lidar.leftovers()

        await until(is_tidy, "the volume is let go")
        assert (await admin.get(PERSISTENT_VOLUMES, volume))["status"]["phase"] == "Bound"
        await lidar.days_pass(20)
        await until(lidar.is_gone, "purged")

        done = await run(running.cluster.kubeconfig, "projects", "restore", "lidar")
        assert "lidar/data: restored" in done.output
        assert await lidar.is_bound("data")
        claim = await admin.get(PERSISTENT_VOLUME_CLAIMS, "data", "lidar")
        restored = await admin.get(PERSISTENT_VOLUMES, claim["spec"]["volumeName"])
        assert restored["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
        assert (await admin.get(CONFIG_MAPS, "kept", "lidar"))["data"] == {"a": "b"}
        assert (await admin.get(DEPLOYMENTS, "uses-data", "lidar"))["spec"]["replicas"] == 1, "awake"
        assert (await lidar.status())["phase"] == "Active"
        again = await run(running.cluster.kubeconfig, "projects", "restore", "lidar")
        assert "lidar/data: was there already, restored" in again.output
        assert len([one for one in archiver.seen if one.endswith("-fill")]) == 1
        assert name_of((await lidar.kept())[0]) == name_of(kept), "the archive stays"


async def test_what_cannot_be_kept_is_not_purged() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, running_archiver(running.admin) as archiver:
        admin, lidar = running.admin, await begun(running, clock)
        await lidar.claim("raw", volumeMode="Block")
        archiver.told["-copy"] = "tar: /archive/data.tar.gz.new: Cannot write: No space left on device"
        hard = {"spec": {"hard": {"requests.storage": "10Mi"}}}
        await admin.patch(RESOURCE_QUOTAS, ARCHIVES, hard, ARCHIVES)
        await lidar.state("Archived")
        room = "lidar/data: its archive may take 68 MiB, for which skerry-archives has no room: "
        await lidar.until_kept("NotArchived: nothing is deleted", "lidar/raw: it is a raw device", room)
        await lidar.days_pass(60)
        assert not await lidar.is_gone()
        assert "purges" not in await lidar.status()
        await admin.patch(RESOURCE_QUOTAS, ARCHIVES, {"spec": {"hard": {"requests.storage": "1Gi"}}}, ARCHIVES)
        await lidar.days_pass(0.1)
        await lidar.until_kept("lidar/data: could not be archived: tar: ", "No space left on device")
        archiver.told["-copy"] = KEPT
        await lidar.days_pass(0.1)
        await lidar.until_kept("NotArchived: nothing is deleted: lidar/raw: it is a raw device")
        events = (await admin.list(EVENTS)).items
        assert any(one["reason"] == "NotArchived" and "lidar/raw" in one["message"] for one in events)

        given_up = {"spec": {"overrides": {"archiveWithout": ["lidar/raw"]}}}
        await admin.patch(PROJECTS, "lidar", given_up)
        await lidar.until_kept("Archived: the data of 1 volumes")
        assert (await lidar.status())["archive"]["volumes"] == [
            "lidar/raw (1Gi): its data is given up, as an operator said"
        ]
        await lidar.days_pass(20)
        await until(lidar.is_gone, "purged")


async def test_what_came_after_the_archive_is_archived_before_the_purge() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, running_archiver(running.admin):
        admin, lidar = running.admin, await begun(running, clock)
        await lidar.state("Archived")
        await lidar.until_kept("Archived: the data of 1 volumes")
        first = (await lidar.status())["archive"]["time"]
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        volume = {
            "metadata": {"name": "brought"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "capacity": {"storage": "1Gi"},
                "csi": {"driver": "testing.skerry.dev", "volumeHandle": "brought"},
                "persistentVolumeReclaimPolicy": "Delete",
                "storageClassName": "brought",
            },
        }
        await admin.create(PERSISTENT_VOLUMES, volume)
        late = {"metadata": {"name": "late"}, "spec": {**spec, "storageClassName": "brought"}}
        await admin.create(PERSISTENT_VOLUME_CLAIMS, late, "lidar")
        await until(lambda: lidar.is_bound("late"))
        await lidar.days_pass(20)
        await lidar.until_kept("Archived: the data of 2 volumes")
        assert (await lidar.status())["archive"]["time"] != first
        await lidar.days_pass(20)
        await until(lidar.is_gone, "purged with both kept")
        assert len(await lidar.kept()) == 2


async def test_a_volume_that_does_not_mount_holds_up_no_other() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, running_archiver(running.admin) as archiver:
        lidar = await begun(running, clock)
        await lidar.claim("more")
        del archiver.told["-measure"]
        await lidar.state("Archived")
        await lidar.until_kept("Archiving: lidar/data: is being measured (Running)")
        (pod,) = [name_of(one) for one in (await running.admin.list(PODS, ARCHIVES)).items]
        hung = {"metadata": {"annotations": {"testing.skerry.dev/waiting": "ContainerCreating"}}}
        await running.admin.patch(PODS, pod, hung, ARCHIVES)
        await lidar.until_kept("Archiving: lidar/data: is being measured (Pending: ContainerCreating)")
        archiver.told["-measure"] = MEASURED
        await lidar.days_pass(0.1)
        why = f"lidar/data: pod {ARCHIVES}/{pod} does not start (ContainerCreating): its events say why"
        await lidar.until_kept(f"NotArchived: nothing is deleted: {why}")
        await until(lambda: any("-copy" in one for one in archiver.seen), "the other one is copied")
        await running.admin.patch(PODS, pod, {"metadata": {"annotations": None}}, ARCHIVES)
        await lidar.until_kept("Archived: the data of 2 volumes")


async def test_not_all_projects_are_archived_at_once() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, running_archiver(running.admin):
        admin, lidar = running.admin, await begun(running, clock)
        others = [f"other-{number}" for number in range(4)]
        for name in others:
            pod = {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
            await admin.create(PODS, pod, ARCHIVES)
        await lidar.state("Archived")
        await lidar.until_kept("Archiving: lidar/data: others are archived first")
        for name in others:
            await admin.delete(PODS, name, ARCHIVES)
        await lidar.until_kept("Archived: the data of 1 volumes")


async def test_an_archive_of_an_earlier_release_is_made_whole_before_the_purge() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, running_archiver(running.admin):
        admin, lidar = running.admin, await begun(running, clock)
        await lidar.state("Archived")
        await lidar.until_kept("Archived: the data of 1 volumes")
        first = (await lidar.status())["archive"]["time"]
        clock.advance(60 * DAY)
        await admin.delete(PERSISTENT_VOLUME_CLAIMS, name_of((await lidar.kept())[0]), ARCHIVES)
        await admin.patch(PROJECTS, "lidar", {"status": {"archive": {"data": None}}}, subresource="status")

        async def is_made_anew() -> bool:
            return (await lidar.status())["archive"]["time"] != first and len(await lidar.kept()) == 1

        await until(is_made_anew, "archived once more, not purged")
        assert (await lidar.status())["archive"]["data"]


async def test_a_project_that_wakes_loses_its_archive() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running, running_archiver(running.admin) as archiver:
        del archiver.told["-copy"]
        lidar = await begun(running, clock)
        await lidar.state("Archived")
        await lidar.until_kept("Archiving: lidar/data: 3 MiB are being copied")
        await lidar.state("Active")
        await lidar.until("phase", "Active")

        async def nothing_is_left() -> bool:
            project = await running.admin.get(PROJECTS, "lidar")
            return condition_of(project, "Kept") is None and not await lidar.kept() and not await lidar.leftovers()

        await until(nothing_is_left, "a half made archive goes")


async def test_a_platform_that_ends_meanwhile_finds_what_was_kept() -> None:
    clock = SetClock()
    with cluster(nodes=1, clock=clock) as made:
        async with running_on(made, clock=clock) as first, running_archiver(first.admin) as archiver:
            del archiver.told["-copy"]
            lidar = await begun(first, clock)
            await lidar.state("Archived")
            await lidar.until_kept("Archiving: lidar/data: 3 MiB are being copied")
            (copying,) = [one["metadata"] for one in (await first.admin.list(PODS, ARCHIVES)).items
                          if name_of(one).endswith("-copy")]  # fmt: skip
        async with running_on(made, clock=clock) as second, running_archiver(second.admin) as archiver:
            lidar = Lidar(second.admin, clock)
            del archiver.told["-copy"]
            assert (await second.admin.get(PODS, copying["name"], ARCHIVES))["metadata"]["uid"] == copying["uid"]
            assert "archive" not in await lidar.status(), "half is not whole"
            await archiver.finish(copying["name"], KEPT)
            await lidar.until_kept("Archived: the data of 1 volumes")
            try:
                await second.admin.get(PODS, copying["name"], ARCHIVES)
            except NotFound:
                return
            raise AssertionError("its pod is still there")
