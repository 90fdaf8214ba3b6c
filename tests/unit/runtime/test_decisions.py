"""Small pure decisions of the runtime: back-off, mounts, process specs, which log."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from skerry.engine.mounts import Mount, below, parse_mountinfo
from skerry.engine.node.access.containers import choose_logged, is_waiting
from skerry.engine.node.access.exec_session import refusal
from skerry.engine.node.access.process_spec import exec_process
from skerry.engine.node.containerd.archiver_image import PROGRAMS, make_archiver_image
from skerry.engine.node.containerd.cni_results import remove_results
from skerry.engine.node.containerd.mount_namespace import second_hierarchy
from skerry.engine.node.containerd.pause_image import Program, make_pause_image
from skerry.engine.node.containerd.processes import Process, with_option
from skerry.engine.node.containerd.supervisor import next_delay
from skerry.engine.node.cri import cri_pb2
from skerry.kube.errors import InternalError
from skerry.kube.pod_streams import StreamOptions


def test_back_off_doubles_and_forgets() -> None:
    assert next_delay(0.0, lived=60) == 0.0
    delays = [0.0]
    for _ in range(9):
        delays.append(next_delay(delays[-1], lived=0.1))
    assert delays[1:4] == [0.1, 0.2, 0.4]
    assert delays[-1] == 10.0
    assert next_delay(10.0, lived=60) == 0.0


MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
32 31 0:29 / /sys/fs/cgroup/cpu rw shared:4 - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
50 1 0:50 / /data rw - ext4 /dev/sdb rw
51 50 0:51 / /data/a\\040b rw - tmpfs tmpfs rw
52 51 0:52 / /data/a\\040b/c rw - tmpfs tmpfs rw
53 1 0:53 / /data2 rw - tmpfs tmpfs rw
"""


def test_mounts_below_are_named_deepest_first_and_never_the_root() -> None:
    mounts = parse_mountinfo(MOUNTINFO)
    assert below(mounts, Path("/data")) == [Path("/data/a b/c"), Path("/data/a b")]


def test_names_that_who_fills_a_volume_chose_are_no_ends_of_lines() -> None:
    text = os.fsdecode(b"54 1 0:54 /a\x0cb\xe2\x80\xa8c\xff /data/subpath rw - ext4 /dev/sdb rw\n")
    assert parse_mountinfo(text) == [Mount(Path("/data/subpath"), "ext4", "/dev/sdb", "0:54")]


def test_second_hierarchy_only_on_hybrid_machines() -> None:
    mounts = parse_mountinfo(MOUNTINFO)
    assert second_hierarchy(mounts) == [Path("/sys/fs/cgroup/unified")]
    assert second_hierarchy([Mount(Path("/sys/fs/cgroup"), "cgroup2")]) == []


def test_processes_are_recognised_by_option_and_value() -> None:
    ours = Process(1, ("/usr/bin/containerd", "--config", "/x/config.toml"))
    others = [
        Process(2, ("/usr/bin/containerd", "--config", "/y/config.toml")),
        Process(3, ("vi", "/x/config.toml")),
        Process(4, ("grep", "--config /x/config.toml")),
    ]
    assert with_option([ours, *others], "--config", "/x/config.toml") == [1]


def test_only_this_instances_interfaces_are_forgotten(tmp_path: Path) -> None:
    for name in (
        "skerry-ab12-s1-eth0",
        "cni-loopback-s1-lo",
        "skerry-cd34-s2-eth0",
        "cni-loopback-s2-lo",
        "podman-x-eth0",
    ):
        (tmp_path / name).touch()
    remove_results("ab12", tmp_path)
    left = {file.name for file in tmp_path.iterdir()}
    assert left == {"skerry-cd34-s2-eth0", "cni-loopback-s2-lo", "podman-x-eth0"}
    remove_results("ab12", tmp_path / "missing")


def test_pause_image_is_deterministic(tmp_path: Path) -> None:
    source = tmp_path / "program"
    source.write_bytes(b"binary")
    program = Program(source, ("/pause", "-P"), "pause")
    first = make_pause_image("a/b:1", program, "x86_64")
    assert first == make_pause_image("a/b:1", program, "x86_64")
    with tarfile.open(fileobj=io.BytesIO(first.archive)) as archive:
        (manifest,) = json.load(archive.extractfile("manifest.json") or io.BytesIO())
        config = json.load(archive.extractfile(manifest["Config"]) or io.BytesIO())
    assert manifest["RepoTags"] == ["a/b:1"]
    assert manifest["Config"] == first.id.removeprefix("sha256:") + ".json"
    assert config["config"]["Entrypoint"] == ["/pause", "-P"]
    assert config["config"]["User"] != "root"


def test_the_image_that_archives_has_this_machines_programs_with_their_libraries() -> None:
    first = make_archiver_image("x86_64")
    assert first == make_archiver_image("x86_64"), "importing it again changes nothing"
    with tarfile.open(fileobj=io.BytesIO(first.archive)) as archive:
        layer = archive.extractfile("layer.tar")
        assert layer is not None
        with tarfile.open(fileobj=io.BytesIO(layer.read())) as files:
            names = files.getnames()
    assert {f"bin/{name}" for name in PROGRAMS} < set(names)
    assert any("libc.so" in name for name in names)
    assert any("ld-linux" in name for name in names), "and what loads them"


def test_exec_runs_as_the_container_does() -> None:
    process = {
        "user": {"uid": 1000, "gid": 1000, "additionalGids": [5]},
        "env": ["PATH=/bin", "TERM=dumb"],
        "cwd": "/work",
        "args": ["server"],
        "capabilities": {"bounding": []},
        "noNewPrivileges": True,
        "consoleSize": {"height": 1, "width": 1},
    }
    spec = json.dumps({"ociVersion": "1.0", "process": process}).encode()
    made = json.loads(exec_process(spec, ["sh", "-c", "x"], tty=False))
    kept = {key: value for key, value in process.items() if key not in ("args", "consoleSize")}
    assert made == {**kept, "args": ["sh", "-c", "x"], "terminal": False}
    assert json.loads(exec_process(spec, ["sh"], tty=True))["env"] == ["PATH=/bin", "TERM=xterm"]
    with pytest.raises(ValueError, match="no process"):
        exec_process(b"{}", ["sh"], tty=False)


def _attempt(number: int, state: int) -> cri_pb2.Container:
    return cri_pb2.Container(id=str(number), metadata=cri_pb2.ContainerMetadata(attempt=number), state=state)  # type: ignore[arg-type]


def _logged(attempts: list[cri_pb2.Container], previous: bool) -> str:
    chosen = choose_logged(attempts, previous)
    return chosen.id if chosen else ""


def test_which_log_is_meant() -> None:
    running, exited, created = cri_pb2.CONTAINER_RUNNING, cri_pb2.CONTAINER_EXITED, cri_pb2.CONTAINER_CREATED
    restarted = [_attempt(2, running), _attempt(1, exited), _attempt(0, exited)]
    assert _logged(restarted, False) == "2"
    assert _logged(restarted, True) == "1"
    starting = [_attempt(1, created), _attempt(0, exited)]
    assert _logged(starting, False) == "0"
    assert _logged(starting, True) == ""
    assert _logged([], False) == ""


def test_waiting_container_says_why() -> None:
    status = {"initContainerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}
    pod = {"metadata": {"name": "p"}, "status": status}
    assert is_waiting(pod, "c").message == 'container "c" in pod "p" is waiting to start: ImagePullBackOff'
    assert is_waiting(pod, "d").message.endswith("ContainerCreating")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("OCI runtime exec failed: exec failed: executable file `nope` not found in $PATH: No such file", 127),
        ('OCI runtime exec failed: exec: "/etc/passwd": permission denied: unknown', 126),
    ],
)
async def test_refused_commands_end_like_a_shell(message: str, code: int) -> None:
    session = refusal(message, StreamOptions())
    assert await session.wait() == code
    assert [data async for _, data in session.output()] == [message.encode() + b"\n"]


def test_other_failures_are_errors() -> None:
    with pytest.raises(InternalError, match="container is paused"):
        refusal("cannot exec: container is paused", StreamOptions())
