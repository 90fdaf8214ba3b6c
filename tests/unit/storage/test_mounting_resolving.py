"""From a pod's volume to what its driver is asked: decisions of mounting."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.storage.contract import Ability, Driver, Use
from skerry.engine.storage.mounting.growing import finished, grown_to, refused
from skerry.engine.storage.mounting.reading import Manners, supports_group
from skerry.engine.storage.mounting.resolving import (
    HOST_PATH,
    LOCAL,
    NFS,
    Mountable,
    Unresolved,
    check_claim,
    of_claim,
    of_inline,
)
from skerry.engine.storage.mounting.sources import claim_name, wanted
from skerry.kube.objects import Obj

CLAIMED = {"name": "data", "persistentVolumeClaim": {"claimName": "mine"}}
EPHEMERAL = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}


def pod(*volumes: Obj, mounts: tuple[str, ...] = (), devices: tuple[str, ...] = ()) -> Obj:
    main = {
        "name": "main",
        "volumeMounts": [{"name": name, "mountPath": "/x"} for name in mounts],
        "volumeDevices": [{"name": name, "devicePath": "/dev/x"} for name in devices],
    }
    metadata = {"name": "web", "namespace": "team", "uid": "u-1"}
    return {"metadata": metadata, "spec": {"volumes": list(volumes), "containers": [main]}}


def claim(phase: str = "Bound", **metadata: Any) -> Obj:
    return {
        "metadata": {"name": "mine", "namespace": "team", "uid": "c-1", "resourceVersion": "7", **metadata},
        "spec": {"volumeName": "pv"},
        "status": {"phase": phase},
    }


def bound(source: Obj, **spec: Any) -> Obj:
    reference = {"namespace": "team", "name": "mine", "uid": "c-1"}
    return {
        "metadata": {"name": "pv"},
        "spec": {"claimRef": reference, "accessModes": ["ReadWriteOnce"], **source, **spec},
    }


def resolved(volume: Obj, described: Obj, **used: Any) -> Mountable:
    return of_claim(pod(volume, mounts=("data",), **used), volume, claim(), described)


def test_only_what_a_container_uses_is_mounted() -> None:
    both = pod(CLAIMED, EPHEMERAL, {"name": "other", "emptyDir": {}}, mounts=("data", "other"))
    assert wanted(both) == [CLAIMED]
    assert wanted(pod(CLAIMED, EPHEMERAL, devices=("scratch",))) == [EPHEMERAL]
    assert [claim_name(both, one) for one in (CLAIMED, EPHEMERAL)] == ["mine", "web-scratch"]


def test_claims_that_cannot_be_used_now_are_named_as_by_the_kubelet() -> None:
    owner = pod(CLAIMED)
    with pytest.raises(Unresolved, match="PVC is not bound"):
        check_claim(owner, CLAIMED, claim("Pending"))
    going = claim(deletionTimestamp="2026-01-01T00:00:00Z")
    with pytest.raises(Unresolved, match="PVC is being deleted"):
        check_claim(owner, CLAIMED, going)
    check_claim(owner, CLAIMED, going, is_mounted=True)
    with pytest.raises(Unresolved, match="was not created for pod team/web"):
        check_claim(owner, EPHEMERAL, claim())
    check_claim(owner, EPHEMERAL, claim(ownerReferences=[{"uid": "u-1", "controller": True}]))


def test_a_volume_is_the_claims_own_only_when_both_say_so() -> None:
    described = bound({"csi": {"driver": "d", "volumeHandle": "h"}})
    assert resolved(CLAIMED, described).handle == "h"
    stolen = {**described, "spec": {**described["spec"], "claimRef": {"uid": "c-2"}}}
    with pytest.raises(Unresolved, match="unexpected PVC UID"):
        resolved(CLAIMED, stolen)
    with pytest.raises(Unresolved, match="nil ClaimRef"):
        resolved(CLAIMED, {**described, "spec": {**described["spec"], "claimRef": None}})


def test_what_a_csi_volume_says_reaches_its_driver() -> None:
    source = {
        "driver": "d", "volumeHandle": "h", "fsType": "ext4", "volumeAttributes": {"a": "b"},
        "nodeStageSecretRef": {"name": "s", "namespace": "n"}, "nodePublishSecretRef": {"name": "p", "namespace": "n"},
    }  # fmt: skip
    options = {"volume.beta.kubernetes.io/mount-options": "sync,nodev"}
    described = bound({"csi": source}, mountOptions=["noatime"], accessModes=["ReadWriteOncePod"])
    described["metadata"]["annotations"] = options
    found = resolved({**CLAIMED, "persistentVolumeClaim": {"claimName": "mine", "readOnly": True}}, described)
    assert found.use == Use(("ReadWriteOncePod",), False, "ext4", ("noatime", "sync", "nodev"))
    assert (found.read_only, found.is_exclusive, found.context) == (True, True, {"a": "b"})
    assert (found.stage_secret, found.publish_secret) == (("n", "s"), ("n", "p"))
    assert found.claim == ("team", "mine")


def test_sources_of_volumes_without_a_csi_driver() -> None:
    assert resolved(CLAIMED, bound({"hostPath": {"path": "/a", "type": "File"}})).driver == HOST_PATH
    assert resolved(CLAIMED, bound({"local": {"path": "/b"}})).driver == LOCAL
    found = resolved(CLAIMED, bound({"nfs": {"server": "s", "path": "/p", "readOnly": True}}))
    assert (found.driver, found.handle, found.read_only) == (NFS, "s:/p", True)
    with pytest.raises(Unresolved, match="sources of kind iscsi are not supported"):
        resolved(CLAIMED, bound({"iscsi": {}}, storageClassName="x", capacity={"storage": "1"}))


def test_devices_and_directories_are_not_taken_for_each_other() -> None:
    device = bound({"csi": {"driver": "d", "volumeHandle": "h"}}, volumeMode="Block")
    with pytest.raises(Unresolved, match="has volumeMode Block, but is specified in volumeMounts"):
        resolved(CLAIMED, device)
    owner = pod(CLAIMED, devices=("data",))
    assert of_claim(owner, CLAIMED, claim(), device).use.block
    with pytest.raises(Unresolved, match="has volumeMode Filesystem, but is specified in volumeDevices"):
        of_claim(owner, CLAIMED, claim(), bound({"csi": {"driver": "d", "volumeHandle": "h"}}))


def test_volumes_that_pods_describe_themselves() -> None:
    volume = {"name": "v", "csi": {"driver": "d", "readOnly": True, "nodePublishSecretRef": {"name": "s"}}}
    found = of_inline(pod(volume, mounts=("v",)), volume)
    assert (found.inline, found.read_only, found.publish_secret) == (True, True, ("team", "s"))
    assert (
        found.handle == of_inline(pod(volume), volume).handle != of_inline(pod(volume), {**volume, "name": "w"}).handle
    )
    nfs = {"name": "v", "nfs": {"server": "s", "path": "/p"}}
    assert of_inline(pod(nfs, mounts=("v",)), nfs).handle == "s:/p"


@pytest.mark.parametrize(
    ("policy", "fs_type", "modes", "read_only", "given"),
    [
        ("File", "", ("ReadWriteMany",), False, True),
        ("File", "", ("ReadWriteMany",), True, False),
        ("None", "ext4", ("ReadWriteOnce",), False, False),
        ("ReadWriteOnceWithFSType", "ext4", ("ReadWriteOnce",), False, True),
        ("ReadWriteOnceWithFSType", "", ("ReadWriteOnce",), False, False),
        ("ReadWriteOnceWithFSType", "nfs", ("ReadWriteMany",), False, False),
    ],
)
def test_a_group_is_brought_about_as_the_driver_wants(
    policy: str, fs_type: str, modes: tuple[str, ...], read_only: bool, given: bool
) -> None:
    mountable = Mountable("v", "pv", "d", "h", Use(modes, fs_type=fs_type), read_only)
    assert supports_group(Manners(False, False, policy), mountable) is given


def test_growth_is_asked_of_the_node_only_when_the_claim_says_so() -> None:
    described = bound({}, capacity={"storage": "2Gi"})
    waits = claim()
    waits["status"] |= {
        "capacity": {"storage": "1Gi"},
        "conditions": [{"type": "FileSystemResizePending", "status": "True"}, {"type": "Other", "status": "True"}],
        "allocatedResourceStatuses": {"storage": "NodeResizePending"},
    }
    assert grown_to(waits, described) == 2 << 30
    done = finished(waits, described)
    assert done["metadata"] == {"resourceVersion": "7"}
    assert done["status"]["capacity"] == {"storage": "2Gi"}
    assert done["status"]["conditions"] == [{"type": "Other", "status": "True"}]
    assert done["status"]["allocatedResourceStatuses"] == {"storage": None}
    waits["status"]["capacity"] = {"storage": "2Gi"}
    assert grown_to(waits, described) is None
    quiet = claim()
    quiet["status"]["capacity"] = {"storage": "1Gi"}
    assert grown_to(quiet, described) is None
    patch = refused(waits, "too small", "2026-01-01T00:00:00Z")["status"]
    assert patch["allocatedResourceStatuses"] == {"storage": "NodeResizeInfeasible"}
    assert [one["type"] for one in patch["conditions"]][-1] == "NodeResizeError"


class _Shy(Driver):
    name = "shy"
    abilities = frozenset({Ability.ATTACH})


async def test_a_driver_without_an_object_says_itself_what_it_needs() -> None:
    from skerry.engine.storage.mounting.reading import Reader
    from tests.support.api import running_api

    async with running_api() as api:
        manners = await Reader(api.client, "test").manners("shy", _Shy())
    assert manners == Manners(attach=True, pod_info=True, group_policy="None")
