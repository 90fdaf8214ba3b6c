"""Claims and volumes on a real API: bound, released, reclaimed, protected; claims made for pods."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.controllers.context import HostNetwork
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES
from skerry.testing.volumes import PROVISIONER_NAME, STANDARD, SimulatedVolumes
from tests.support.controllers import World, running_controllers

CLAIMS, VOLUMES = PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
DONE, HERE = "pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"


def claim(name: str, size: str = "1Gi", **spec: Any) -> Obj:
    spec.setdefault("storageClassName", "")
    resources = {"requests": {"storage": size}}
    return {"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources, **spec}}


def volume(name: str, size: str = "1Gi", **spec: Any) -> Obj:
    spec.setdefault("hostPath", {"path": f"/srv/{name}"})
    capacity = {"storage": size}
    return {"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "capacity": capacity, **spec}}


def pod(name: str, *volumes: Obj) -> Obj:
    spec = {"containers": [{"name": "app", "image": "app:1"}], "volumes": list(volumes)}
    return {"metadata": {"name": name}, "spec": {**spec, "terminationGracePeriodSeconds": 1}}


def of_claim(name: str) -> Obj:
    return {"name": "data", "persistentVolumeClaim": {"claimName": name}}


def phase(world: World, resource: Any, name: str) -> str:
    found = world.get(resource, name)
    return (found.get("status") or {}).get("phase", "") if found is not None else "gone"


@contextlib.asynccontextmanager
async def running_with_volumes(**fields: Any) -> AsyncIterator[World]:
    """With a class `standard` and who makes its volumes. `fields`: how the class differs."""
    async with running_controllers() as world:
        provisioner = SimulatedVolumes(world.client, world.context.informers)
        provisioner.start()
        await world.client.create(STORAGE_CLASSES, {**STANDARD, **fields})
        try:
            yield world
        finally:
            await provisioner.close()


async def test_a_claim_and_a_volume_are_bound_released_and_kept() -> None:
    async with running_controllers() as world:
        for made in (volume("large", "9Gi"), volume("small", "2Gi"), volume("other", storageClassName="x")):
            await world.client.create(VOLUMES, made)
        for name in ("large", "small", "other"):
            await world.until(lambda name=name: phase(world, VOLUMES, name) == "Available")
        await world.client.create(CLAIMS, claim("data"), "default")
        await world.until(lambda: phase(world, CLAIMS, "data") == "Bound")
        bound = await world.client.get(CLAIMS, "data", "default")
        assert bound["spec"]["volumeName"] == "small"
        assert {DONE, HERE} <= annotations_of(bound).keys()
        assert bound["status"]["capacity"] == {"storage": "2Gi"}
        assert bound["status"]["accessModes"] == ["ReadWriteOnce"]
        disk = await world.client.get(VOLUMES, "small")
        assert disk["spec"]["claimRef"]["uid"] == uid_of(bound)
        assert disk["status"]["phase"] == "Bound"
        assert disk["status"]["lastPhaseTransitionTime"]
        await world.client.delete(VOLUMES, "small")
        assert phase(world, VOLUMES, "large") == "Available"
        await world.client.delete(CLAIMS, "data", "default")
        await world.until(lambda: phase(world, VOLUMES, "small") == "gone")  # held by its protection until then


async def test_a_claim_waits_for_a_volume_a_class_or_a_default_and_says_so() -> None:
    async with running_controllers() as world:
        unset = claim("unset")
        del unset["spec"]["storageClassName"]
        for made in (
            claim("none"),
            claim("early", storageClassName="later"),
            unset,
            claim("named", volumeName="small"),
        ):
            await world.client.create(CLAIMS, made, "default")
        text = "no persistent volumes available for this claim and no storage class is set"
        await world.until(lambda: world.events("FailedBinding").count(text) == 2)
        missing = 'storageclass.storage.k8s.io "later" not found'
        await world.until(lambda: world.events("ProvisioningFailed") == [missing])
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        later = {"metadata": {"name": "later", "annotations": default}, "provisioner": "example.com/disks"}
        await world.client.create(STORAGE_CLASSES, later)
        for name in ("early", "unset"):
            await world.until(
                lambda name=name: (
                    annotations_of(world.get(CLAIMS, name)).get("volume.kubernetes.io/storage-provisioner")
                    == "example.com/disks"
                )
            )
        assert world.get(CLAIMS, "unset")["spec"]["storageClassName"] == "later"
        await world.until(lambda: len(world.events("ExternalProvisioning")) == 2)
        await world.client.create(VOLUMES, volume("small", "1Mi"))
        refused = 'Cannot bind to requested volume "small": requested PV is too small'
        await world.until(lambda: world.events("VolumeMismatch") == [refused])
        await world.client.create(VOLUMES, volume("late"))
        await world.until(lambda: phase(world, CLAIMS, "none") == "Bound")


async def test_released_volumes_are_reclaimed_or_say_why_not() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="skerry-volume-", ignore_cleanup_errors=True) as folder:
        data = Path(folder, "data")
        (data / "deep").mkdir(parents=True)
        await see_volumes_reclaimed(data)
        assert not data.exists()


async def see_volumes_reclaimed(data: Path) -> None:
    async with running_controllers(host=HostNetwork(is_real=True)) as world:
        policies = {"tmp": "Delete", "srv": "Delete", "old": "Recycle", "kept": "Retain"}
        for name, policy in policies.items():
            path = str(data) if name == "tmp" else f"/srv/{name}"
            spec = {"persistentVolumeReclaimPolicy": policy, "hostPath": {"path": path}}
            await world.client.create(VOLUMES, volume(name, **spec))
            await world.client.create(CLAIMS, claim(name, volumeName=name), "default")
        for name in policies:
            await world.until(lambda name=name: phase(world, CLAIMS, name) == "Bound")
            assert HERE not in annotations_of(world.get(CLAIMS, name))
            await world.client.delete(CLAIMS, name, "default")
        ends = {"tmp": "gone", "srv": "Failed", "old": "Failed", "kept": "Released"}
        await world.until(lambda: {name: phase(world, VOLUMES, name) for name in policies} == ends)
        supported = "host_path deleter only supports /tmp/.+ but received provided /srv/srv"
        await world.until(lambda: world.events("VolumeFailedDelete") == [supported])
        await world.until(lambda: "not supported" in world.events("VolumeFailedRecycle")[0])
        assert world.get(VOLUMES, "srv")["status"]["message"] == supported
        await world.client.create(CLAIMS, claim("kept"), "default")
        await world.settle()
        assert phase(world, CLAIMS, "kept") == "Pending"  # what is released belongs to the claim that is gone
        await world.client.patch(VOLUMES, "kept", {"spec": {"claimRef": None}})
        await world.until(lambda: phase(world, CLAIMS, "kept") == "Bound")
        await world.client.patch(VOLUMES, "kept", {"metadata": {"finalizers": None}})
        await world.client.delete(VOLUMES, "kept")
        await world.until(lambda: phase(world, CLAIMS, "kept") == "Lost")
        lost = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        await world.until(lambda: world.events("ClaimLost") == [lost])


async def test_a_claim_in_use_waits_and_an_ephemeral_one_goes_with_its_pod() -> None:
    async with running_with_volumes(volumeBindingMode="Immediate") as world:
        await world.client.create(CLAIMS, claim("data", storageClassName="standard"), "default")
        template = {"metadata": {"labels": {"a": "b"}}, "spec": claim("x", storageClassName="standard")["spec"]}
        scratch = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}
        await world.client.create(PODS, pod("web", of_claim("data"), scratch), "default")
        await world.until(lambda: phase(world, PODS, "web") == "Running")
        made = await world.client.get(CLAIMS, "web-scratch", "default")
        assert made["metadata"]["ownerReferences"][0]["name"] == "web"
        assert made["status"]["phase"] == "Bound"
        await world.client.delete(CLAIMS, "data", "default")
        await world.settle()
        assert is_deleting(world.get(CLAIMS, "data"))
        await world.client.delete(PODS, "web", "default")
        for name in ("data", "web-scratch"):
            await world.until(lambda name=name: phase(world, CLAIMS, name) == "gone")
        await world.until(lambda: not world.list(VOLUMES, None))
        await world.client.create(CLAIMS, claim("db-scratch"), "default")
        await world.client.create(PODS, pod("db", scratch), "default")
        why = "PVC default/db-scratch was not created for pod default/db (pod is not owner)"
        await world.until(lambda: why in world.events("FailedBinding"))


async def test_claims_that_become_free_together_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_with_volumes(volumeBindingMode="Immediate") as world:
        names = [f"c{number}" for number in range(40)]
        mounted = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
        for name in names:
            await world.client.create(CLAIMS, claim(name, storageClassName="standard"), "default")
        await world.client.create(PODS, pod("web", *mounted), "default")
        await world.until(lambda: phase(world, PODS, "web") == "Running")
        await asyncio.gather(*(world.client.delete(CLAIMS, name, "default") for name in names))
        await world.settle()
        assert [name for name in names if phase(world, CLAIMS, name) == "gone"] == []
        protecting, lists = world.context.identity("pvc-protection-controller"), []
        ask = protecting.list
        monkeypatch.setattr(protecting, "list", lambda *asked: lists.append(asked) or ask(*asked))
        await world.client.delete(PODS, "web", "default")
        await world.until(lambda: not world.list(CLAIMS))
        assert 0 < len(lists) < len(names)  # pods are not asked for claim by claim


async def test_two_hundred_claims_are_bound_in_seconds() -> None:
    async with running_with_volumes(volumeBindingMode="Immediate") as world:
        claims = [claim(f"c{number}", storageClassName="standard") for number in range(200)]
        started = time.monotonic()
        await asyncio.gather(*(world.client.create(CLAIMS, one, "default") for one in claims))
        await world.until(lambda: all(phase(world, CLAIMS, name_of(one)) == "Bound" for one in claims))
        print(f"200 claims bound in {time.monotonic() - started:.2f} s")
        volumes = {one["spec"]["claimRef"]["name"]: name_of(one) for one in world.list(VOLUMES, None)}
        assert {name_of(one): one["spec"]["volumeName"] for one in world.list(CLAIMS)} == volumes
        assert all(
            annotations_of(one)["pv.kubernetes.io/provisioned-by"] == PROVISIONER_NAME
            for one in world.list(VOLUMES, None)
        )
