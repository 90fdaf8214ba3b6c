"""`skerry volumes` and `skerry storage` as users call them, against a real API whose pod is this machine."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from skerry.engine.definitions.installing import install
from skerry.engine.definitions.storage_pools import DEFINITIONS, STORAGE_POOLS
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES
from tests.component.streams.local_pods import LocalPods
from tests.support.api import RunningApi, running_api
from tests.support.users import kubeconfig_of
from tests.support.waiting import until

_ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
_CLAIM: Obj = {
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local",
        "volumeName": "pv-data",
        "resources": {"requests": {"storage": "1Gi"}},
    },
}
_VOLUME: Obj = {
    "metadata": {"name": "pv-data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local",
        "capacity": {"storage": "1Gi"},
        "csi": {"driver": "shelf.example", "volumeHandle": "h1"},
    },
}
_BOUND: Obj = {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}}
_RUNNING: Obj = {
    "phase": "Running",
    "containerStatuses": [
        {"name": "main", "ready": True, "image": "none", "imageID": "", "restartCount": 0, "state": {"running": {}}}
    ],
}


class MeasuredPods(LocalPods):
    """One volume is nearly full."""

    async def summary(self) -> Obj:
        volume = {
            "name": "v", "pvcRef": {"name": "data", "namespace": "default"}, "capacityBytes": 2**30,
            "usedBytes": 900 * 2**20, "availableBytes": 124 * 2**20, "inodes": 1000, "inodesUsed": 10,
        }  # fmt: skip
        return {"node": {}, "pods": [{"podRef": {}, "volume": [volume]}]}


class Answer(NamedTuple):
    """What a command said, and its exit code."""

    exit_code: int
    stdout: str
    stderr: str


async def skerry(kubeconfig: Path, *words: str) -> Answer:
    """A process, as users have it: in ours TLS would end its connections later than the test does."""
    command = [sys.executable, "-m", "skerry.cli.main", *words, "--kubeconfig", str(kubeconfig)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return Answer(process.returncode or 0, out.decode(), err.decode())


async def document(kubeconfig: Path, *words: str) -> Any:
    answer = await skerry(kubeconfig, *words, "-o", "json")
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[RunningApi]:
    """A claim `data` that the pod `web` has mounted at `folder`."""
    pod = {
        "metadata": {"name": "web"},
        "spec": {
            "nodeName": "node",
            "containers": [
                {"name": "main", "image": "none", "volumeMounts": [{"name": "v", "mountPath": str(folder)}]}
            ],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}],
        },
    }
    storage_class = {"metadata": {"name": "local"}, "provisioner": "shelf.example", "allowVolumeExpansion": True}
    async with running_api(pod_access=MeasuredPods(folder / "log")) as api:
        await install(api.client, DEFINITIONS)
        await api.client.create(NODES, {"metadata": {"name": "node"}, "status": {"allocatable": {"cpu": "1"}}})
        await api.client.create(STORAGE_CLASSES, storage_class)
        await api.client.create(PERSISTENT_VOLUMES, _VOLUME)
        await api.client.create(PERSISTENT_VOLUME_CLAIMS, _CLAIM, "default")
        await api.client.patch(PERSISTENT_VOLUME_CLAIMS, "data", _BOUND, "default", subresource="status")
        await api.client.create(PODS, pod, "default")
        await api.client.patch(PODS, "web", {"status": _RUNNING}, "default", subresource="status")
        yield api


async def test_what_claims_hold_and_what_is_large_in_them(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    (volume / "logs").mkdir(parents=True)
    (volume / "logs" / "old").write_bytes(b"x" * 3_000_000)
    (volume / "small").write_bytes(b"x" * 5000)
    async with cluster(volume) as api:
        for words in (("volumes", "ls"), ("volumes", "top", "-A")):
            (found,) = (await document(api.kubeconfig, *words))["claims"]
            assert (found["name"], found["usedPercent"]) == ("data", 87.9)
            assert (found["pods"], found["nodes"]) == (["web"], ["node"])
        listed = await skerry(api.kubeconfig, "volumes", "ls")
        assert listed.stdout.splitlines()[1].split()[:3] == ["data", "Bound", "local"]
        assert "88%" in listed.stdout
        large = await document(api.kubeconfig, "volumes", "du", "data")
        assert [one["path"] for one in large["entries"]] == [".", "logs", "small"]
        assert large["entries"][1]["size"] >= 3_000_000
        deeper = await document(api.kubeconfig, "volumes", "du", "data", "--depth", "2")
        assert {"logs", "logs/old"} <= {one["path"] for one in deeper["entries"]}
        nobody = await skerry(api.kubeconfig, "volumes", "du", "nothing")
        told = "skerry: there is no claim nothing here: `skerry volumes ls` shows those there are\n"
        assert (nobody.exit_code, nobody.stderr) == (1, told)


async def test_a_user_who_may_not_ask_nodes_is_told_by_the_pods(tmp_path: Path) -> None:
    async with cluster(tmp_path) as api:
        await api.client.create(
            _ROLE_BINDINGS,
            {
                "metadata": {"name": "ben"},
                "subjects": [{"kind": "User", "name": "ben"}],
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            },
            "default",
        )
        ben = kubeconfig_of(api, tmp_path, "ben")
        (found,) = (await document(ben, "volumes", "top"))["claims"]
        assert found["used"] > 0, "as df says of this machine's own disk"
        everywhere = await skerry(ben, "storage", "check")
        assert everywhere.exit_code == 1
        assert "is forbidden" in everywhere.stderr


async def test_more_room_is_asked_for_and_waited_for(tmp_path: Path) -> None:
    async with cluster(tmp_path) as api:
        refused = await skerry(api.kubeconfig, "volumes", "expand", "data", "500Mi")
        assert (refused.exit_code, refused.stderr) == (
            1,
            "skerry: claim data has 1.0 GiB: volumes cannot become smaller\n",
        )
        assert (await skerry(api.kubeconfig, "volumes", "expand", "data", "much")).exit_code == 2
        asking = asyncio.create_task(skerry(api.kubeconfig, "volumes", "expand", "data", "+1Gi"))
        await _grow(api, "2Gi")
        answer = await asking
        assert answer.exit_code == 0, answer.stderr
        assert answer.stdout.splitlines()[0] == "default/data: 1.0 GiB -> 2.0 GiB"
        assert answer.stdout.splitlines()[-1].endswith("2.0 GiB are there")


async def _grow(api: RunningApi, size: str) -> None:
    """What a driver does when it is asked."""

    async def asked() -> bool:
        claim = await api.client.get(PERSISTENT_VOLUME_CLAIMS, "data", "default")
        return bool(claim["spec"]["resources"]["requests"]["storage"] == size)

    await until(asked)
    patch = {"status": {"capacity": {"storage": size}}}
    await api.client.patch(PERSISTENT_VOLUME_CLAIMS, "data", patch, "default", subresource="status")


async def test_what_is_wrong_is_found_and_orphans_go_when_named(tmp_path: Path) -> None:
    orphan = {"handle": "h9", "size": 2**30, "since": "2026-01-02T03:04:05Z"}
    async with cluster(tmp_path) as api:
        assert (await skerry(api.kubeconfig, "storage", "check")).stdout == "nothing is wrong\n"
        await api.client.create(STORAGE_POOLS, {"metadata": {"name": "shelf.example"}})
        status = {"status": {"orphans": [orphan], "available": 2**30}}
        await api.client.patch(STORAGE_POOLS, "shelf.example", status, subresource="status")
        checked = await skerry(api.kubeconfig, "storage", "check")
        assert checked.exit_code == 1
        assert "skerry storage repair --reclaim h9" in checked.stdout
        (local,) = (await document(api.kubeconfig, "storage", "ls"))["classes"]
        assert (local["volumes"], local["promised"], local["available"]) == (1, 2**30, 2**30)
        claim = await skerry(api.kubeconfig, "storage", "describe", "claim", "data")
        assert "Storage class" in claim.stdout
        assert (await skerry(api.kubeconfig, "storage", "repair")).exit_code == 2
        assert (await skerry(api.kubeconfig, "storage", "repair", "--reclaim", "h1", "--yes")).exit_code == 1
        repairing = asyncio.create_task(skerry(api.kubeconfig, "storage", "repair", "--all", "--yes"))
        await _reclaim(api)
        done = await repairing
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "deleted 1 volumes"), done.stderr


async def _reclaim(api: RunningApi) -> None:
    """What the engine does when it is asked."""

    async def asked() -> bool:
        pool = await api.client.get(STORAGE_POOLS, "shelf.example")
        return (pool.get("spec") or {}).get("reclaim") == ["h9"]

    await until(asked)
    await api.client.patch(STORAGE_POOLS, "shelf.example", {"status": {"orphans": []}}, subresource="status")
    await api.client.patch(STORAGE_POOLS, "shelf.example", {"spec": {"reclaim": []}})
