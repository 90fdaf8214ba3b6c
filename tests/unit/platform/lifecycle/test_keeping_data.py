"""Whose data is kept, how a volume is read without danger to it, and what the archive's programs do to real files."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from skerry.kube.objects import Obj
from skerry.platform.projects.lifecycle.archiving import copying, programs
from skerry.platform.projects.lifecycle.archiving.choosing import choose
from skerry.platform.projects.lifecycle.archiving.copying import Copy, Place, Task

PROJECT: Obj = {"metadata": {"name": "lidar", "uid": "01234567-89ab"}}
CLAIM: Obj = {
    "metadata": {"name": "data", "namespace": "lidar", "uid": "fedcba98-7654"},
    "spec": {"volumeName": "pv", "resources": {"requests": {"storage": "1Gi"}}},
}


def volume(**spec: Any) -> Obj:
    csi = {"driver": "local.storage.skerry.dev", "volumeHandle": "pvc-1", "nodeStageSecretRef": {"name": "s"}}
    given = {"csi": csi, "persistentVolumeReclaimPolicy": "Delete", "accessModes": ["ReadWriteOncePod"], **spec}
    return {"metadata": {"name": "pv"}, "spec": given}


def choice(volume_: Obj | None, storage_class: Obj | None = None, given_up: tuple[str, ...] = ()) -> tuple[str, str]:
    found = choose(CLAIM, volume_, storage_class, given_up)
    return found.what, found.why


def test_what_the_purge_would_delete_is_kept() -> None:
    assert choice(volume()) == ("keep", "")
    assert choice(volume(), {"parameters": {"onDelete": "delete"}}) == ("keep", "")
    assert choice(volume(), given_up=("lidar/other",)) == ("keep", "")
    assert choice(volume(volumeMode="Block"))[0] == "stuck"


def test_what_stays_where_it_is_is_named() -> None:
    on_server = {"metadata": {"name": "nfs"}, "parameters": {"onDelete": "retain"}}
    assert choice(volume(), on_server) == ("left", "its data stays on its server, as class nfs says")
    assert choice(volume(persistentVolumeReclaimPolicy="Retain")) == ("left", "its volume pv stays when the claim goes")
    assert choice(volume(csi={"driver": "dataset.storage.skerry.dev"}))[0] == "left"
    assert choice(volume(volumeMode="Block"), given_up=("lidar/data",))[0] == "left"
    assert choice(None) == ("left", "its volume is lost")
    assert choose({**CLAIM, "spec": {}}, None, None, ()).why == "it has no volume yet"


def test_a_volume_is_read_by_a_second_name_that_nobody_reclaims() -> None:
    copy = Copy(PROJECT, CLAIM, volume(claimRef={"uid": "theirs"}, storageClassName="local", mountOptions=["noatime"]))
    second = copying.source_volume(copy)
    spec = second["spec"]
    assert (spec["persistentVolumeReclaimPolicy"], spec["storageClassName"]) == ("Retain", "")
    assert spec["csi"] == copy.volume["spec"]["csi"]
    assert spec["mountOptions"] == ["noatime"]
    assert spec["claimRef"]["namespace"] == "skerry-archives"
    assert "uid" not in spec["claimRef"]
    assert "annotations" not in second["metadata"], "nor does it look as if a provisioner had made it"
    claim = copying.source_claim(copy)["spec"]
    assert (claim["volumeName"], claim["resources"]["requests"]["storage"]) == (second["metadata"]["name"], "1")
    (container,) = copying.copying_pod(copy, Place())["spec"]["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["DAC_READ_SEARCH"]}
    assert [one["readOnly"] for one in container["volumeMounts"]] == [True, False]


def test_room_is_as_much_as_nothing_packed_takes() -> None:
    assert copying.room_for({"bytes": 1, "entries": 1}) == 65 << 20
    room = copying.data_claim(Copy(PROJECT, CLAIM, volume()), 65 << 20, Place(storage_class="far"))["spec"]
    assert (room["resources"]["requests"]["storage"], room["storageClassName"]) == ("65Mi", "far")


def test_a_pod_is_heard_to_its_end_and_believed_only_then() -> None:
    def pod(phase: str, **state: Any) -> Obj:
        return {"metadata": {}, "status": {"phase": phase, "containerStatuses": [{"state": state}]}}

    waiting = pod("Pending", waiting={"reason": "ErrImagePull", "message": "no tar"})
    assert copying.said_by(waiting).message == "ErrImagePull: no tar"
    assert copying.told(waiting) is None
    unbound = {
        "metadata": {},
        "status": {"phase": "Pending", "conditions": [{"status": "False", "message": "no room"}]},
    }
    assert copying.said_by(unbound).message == "no room"
    evicted = {"metadata": {"creationTimestamp": "2026"}, "status": {"phase": "Failed", "message": "low on memory"}}
    assert copying.said_by(evicted) == copying.Said("Failed", "low on memory", "2026"), "it is tried again"
    ended = {"message": '{"bytes":1}', "finishedAt": "2026-01-01T00:00:00Z"}
    assert copying.told(pod("Succeeded", terminated=ended)) == {"bytes": 1}
    assert copying.told(pod("Succeeded", terminated={**ended, "message": "7"})) is None
    task = Task("x", copying.filling_mounts("a", "b"), writes=True)
    assert "CHOWN" in copying.pod("p", {}, "i", task)["spec"]["containers"][0]["securityContext"]["capabilities"]["add"]


class Places:
    """`/data`, `/archive` and where a pod's last words go, in a directory."""

    def __init__(self, root: Path) -> None:
        self.root, self.data, self.archive = root, root / "data", root / "archive"
        self.data.mkdir()
        self.archive.mkdir()

    def run(self, program: str, **env: str) -> subprocess.CompletedProcess[str]:
        here = re.sub(r"(?<=[ =])/(?=data|archive)", f"{self.root}/", program)
        here = here.replace("/dev/termination-log", f"{self.root}/told")
        env = {"PATH": os.environ["PATH"], **env}
        return subprocess.run(["sh", "-c", here], capture_output=True, text=True, env=env, check=False)

    def told(self) -> Any:
        return json.loads((self.root / "told").read_text())


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_files_come_back_as_they_were(places: Places) -> None:
    odd = places.data / 'odd -rf *\nline "quoted" ä'
    odd.mkdir(mode=0o751)
    (odd / "file").write_text("kept")
    (odd / "hard").hardlink_to(odd / "file")
    (places.data / "link").symlink_to("/nowhere")
    with (places.data / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    os.mkfifo(places.data / "pipe")
    os.utime(odd / "file", (1, 1234567890))
    (odd / "file").chmod(0o640)
    assert places.run(programs.MEASURE).returncode == 0
    assert places.told()["entries"] == 7
    assert places.told()["bytes"] < 1 << 20
    done = places.run(programs.COPY)
    assert done.returncode == 0, done.stderr
    kept = places.told()
    assert kept["bytes"] == (places.archive / "data.tar.gz").stat().st_size
    _empty(places)
    (places.data / "half").write_text("of an attempt that was cut short")
    done = places.run(programs.FILL, SHA256=kept["sha256"])
    assert done.returncode == 0, done.stderr
    file, hard = odd / "file", odd / "hard"
    assert (file.read_text(), file.stat().st_mtime, file.stat().st_mode & 0o777) == ("kept", 1234567890, 0o640)
    assert file.stat().st_ino == hard.stat().st_ino
    assert os.readlink(places.data / "link") == "/nowhere"
    assert (places.data / "sparse").stat().st_blocks < 100
    assert (places.data / "pipe").is_fifo()
    assert not (places.data / "half").exists()


def test_what_is_spoilt_is_not_given_out(places: Places) -> None:
    (places.data / "file").write_text("kept")
    places.run(programs.COPY)
    with (places.archive / "data.tar.gz").open("r+b") as file:
        file.seek(20)
        file.write(b"?")
    done = places.run(programs.FILL, SHA256=places.told()["sha256"])
    assert (done.returncode, "the archive is spoilt" in done.stdout) == (1, True)
    assert (places.data / "file").read_text() == "kept", "and nothing is taken away for it"


def test_half_an_archive_does_not_have_its_name(places: Places) -> None:
    (places.data / "file").write_text("kept")
    (places.archive / "data.tar.gz.new").mkdir()  # tar cannot write it
    done = places.run(programs.COPY)
    assert done.returncode != 0
    assert not (places.archive / "data.tar.gz").exists()
    assert not (places.root / "told").exists()


def _empty(places: Places) -> None:
    subprocess.run(["find", str(places.data), "-mindepth", "1", "-delete"], check=True)
