"""Claims as people ask for them: what they hold, what is large, how they grow."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.cli.errors import CommandFailed
from skerry.cli.volumes import growing, helping, inside
from skerry.cli.volumes.facts import Measured, by_use, claims_of, measures_of
from skerry.kube.objects import Obj

GI = 2**30


def claim(name: str, size: str = "1Gi", requested: str = "1Gi", **status: Any) -> Obj:
    return {
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"resources": {"requests": {"storage": requested}}, "storageClassName": "local", "volumeName": "pv"},
        "status": {"phase": "Bound", "capacity": {"storage": size}, **status},
    }


def pod(name: str, *claims: str, phase: str = "Running", mount: Obj | None = None) -> Obj:
    mounts = [{"name": f"v{n}", "mountPath": f"/data{n}", **(mount or {})} for n in range(len(claims))]
    return {
        "metadata": {"name": name, "namespace": "team"},
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": "main", "image": "app:1", "volumeMounts": mounts}],
            "volumes": [{"name": f"v{n}", "persistentVolumeClaim": {"claimName": c}} for n, c in enumerate(claims)],
        },
        "status": {"phase": phase, "containerStatuses": [{"name": "main", "state": {"running": {}}}]},
    }


def test_claims_with_what_they_hold_and_who_has_them() -> None:
    summary = {
        "pods": [
            {
                "volume": [
                    {"name": "tmp", "usedBytes": 1},
                    {
                        "name": "v0", "pvcRef": {"name": "files", "namespace": "team"}, "capacityBytes": 100,
                        "usedBytes": 60, "availableBytes": 20, "inodes": 10, "inodesUsed": 9,
                    },
                ]
            }
        ]
    }  # fmt: skip
    scratch = {"metadata": {"name": "job", "namespace": "team"}, "spec": {"volumes": [{"name": "s", "ephemeral": {}}]}}
    pods = [pod("b", "files"), pod("a", "files"), pod("old", "files", phase="Succeeded"), scratch]
    other, files = claims_of([claim("other"), claim("files")], pods, measures_of(summary))[::-1]
    assert (files.size, files.requested, files.storage_class) == (GI, GI, "local")
    assert files.pods == [("a", "n1"), ("b", "n1")], "who has ended has it no more"
    assert (files.percent, files.inode_percent) == (75, 90)
    assert (other.percent, other.measured, other.pods) == (None, None, [])
    assert files.to_json()["usedPercent"] == 75.0
    assert [one.name for one in by_use([other, files])] == ["files", "other"]


def test_the_claims_of_generic_ephemeral_volumes_belong_to_their_pods() -> None:
    scratch = pod("job")
    scratch["spec"]["volumes"] = [{"name": "s", "ephemeral": {"volumeClaimTemplate": {}}}]
    assert claims_of([claim("job-s")], [scratch], {})[0].pods == [("job", "n1")]


def test_the_container_that_sees_all_of_a_volume_is_asked() -> None:
    whole = inside.mounted(pod("a", "files"), "files")
    part = inside.mounted(pod("b", "files", mount={"subPath": "x"}), "files")
    assert whole == inside.Mounted("team", "a", "main", "/data0")
    assert part is not None
    assert part.part == "x"
    waiting = pod("c", "files")
    waiting["status"]["containerStatuses"] = [{"name": "main", "state": {"waiting": {}}}]
    assert inside.mounted(waiting, "files") is None


BLOCKS = """Filesystem           1024-blocks    Used Available Capacity Mounted on
/dev/loop3               1000       750       200  79% /data
"""
NODES = """Filesystem              Inodes      Used Available Capacity Mounted on
/dev/loop3               64        16        48  25% /data
"""


def test_what_df_says() -> None:
    assert inside.measured(BLOCKS, NODES) == Measured(1000 * 1024, 750 * 1024, 200 * 1024, 64, 16)
    assert inside.measured(BLOCKS, "df: no such option") == Measured(1000 * 1024, 750 * 1024, 200 * 1024)
    assert inside.measured("", "") is None


def test_what_du_says() -> None:
    found = inside.entries("4\t/data/a b\nx\n800\t/data/logs\n900\t/data\n", "/data")
    assert [(one.path, one.size) for one in found] == [(".", 900 * 1024), ("logs", 800 * 1024), ("a b", 4096)]
    assert inside.entries("4\t/\n2\t/etc\n", "/")[1].path == "etc"


def test_a_program_that_is_not_there_is_told_from_files_that_are_not() -> None:
    assert inside._is_absent("OCI runtime exec failed: executable file `du` not found in $PATH: No such file")
    assert inside._is_absent("failed to exec: no such file or directory")
    assert not inside._is_absent("du: /data/x: No such file or directory")


def test_a_helper_goes_where_the_volume_is_and_cannot_write() -> None:
    made = helping.helper_pod(claim("files"), [pod("a", "files"), pod("b", "other")], ["du"], "busybox:1")
    assert made["spec"]["nodeSelector"] == {"kubernetes.io/hostname": "n1"}
    (container,), (volume,) = made["spec"]["containers"], made["spec"]["volumes"]
    assert container["volumeMounts"][0]["readOnly"]
    assert volume["persistentVolumeClaim"] == {"claimName": "files", "readOnly": True}
    assert container["command"] == ["busybox", "du"], "an image of busybox may have no links to its applets"
    assert "nodeSelector" not in helping.helper_pod(claim("files"), [], ["du"], "busybox:1")["spec"]


def test_an_image_that_has_du_is_known_by_its_name() -> None:
    images = ["registry.example/app:1", "docker.io/library/debian:12", "busybox@sha256:1", "localhost/busybox:test"]
    assert helping.usable_image(images) == "localhost/busybox:test"
    assert helping.usable_image(images[:1]) == ""


def test_a_helper_that_cannot_begin_is_not_waited_for() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    with pytest.raises(CommandFailed, match="ErrImagePull: no such image"):
        helping._check({"status": {"containerStatuses": [{"name": "look", "state": waiting}]}})
    helping._check({"status": {"containerStatuses": [{"name": "look", "state": {"waiting": {"reason": "Pod"}}}]}})


LOCAL: Obj = {"metadata": {"name": "local"}, "allowVolumeExpansion": True}
FIXED: Obj = {"metadata": {"name": "nfs"}}


@pytest.mark.parametrize(
    ("found", "storage_class", "wanted", "says"),
    [
        (claim("a"), LOCAL, 2 * GI, ""),
        (claim("a"), None, 2 * GI, ""),
        (claim("a"), FIXED, 2 * GI, "class nfs does not let volumes grow"),
        (claim("a"), LOCAL, GI, "has 1.0 GiB already"),
        (claim("a"), LOCAL, GI // 2, "cannot become smaller"),
        (claim("a", phase="Pending"), LOCAL, 2 * GI, "is Pending: only what is bound"),
    ],
)
def test_what_cannot_grow_says_why(found: Obj, storage_class: Obj | None, wanted: int, says: str) -> None:
    refusal = growing.refusal(found, storage_class, wanted)
    assert says in refusal
    assert bool(says) == bool(refusal)


def test_a_refusal_by_the_api_is_put_in_words() -> None:
    assert growing.forbidden("... exceeded quota: q, requested: ...").startswith("the namespace's quota leaves no room")
    assert growing.forbidden("only dynamically provisioned pvc can be resized").startswith("its class does not let")
    assert growing.forbidden("no") == "no"


def test_how_far_a_claim_is() -> None:
    def says(**status: Any) -> tuple[bool, bool, str]:
        now = growing.progress(claim("a", **status), 2 * GI)
        return now.done, now.failed, now.text

    assert says() == (False, False, "waiting for its driver")
    assert says(conditions=[{"type": "Resizing", "status": "True"}])[2] == "the volume is growing"
    pending = [{"type": "FileSystemResizePending", "status": "True"}]
    assert "when a pod has it mounted" in says(conditions=pending)[2]
    infeasible = {"storage": "ControllerResizeInfeasible"}
    error = [{"type": "ControllerResizeError", "status": "True", "message": "the disk is full"}]
    assert says(allocatedResourceStatuses=infeasible, conditions=error) == (False, True, "the disk is full")
    assert growing.progress(claim("a", size="2Gi"), 2 * GI).done
