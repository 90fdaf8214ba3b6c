"""Images through the program the command line starts: build, load, list, remove."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.engine.node.access.pod_access import NodePodAccess
from skerry.kube.pod_streams import LogOptions
from tests.component.runtime.instance import Instance
from tests.support.images import busybox_archive

pytestmark = pytest.mark.root

_DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "/bin"]
RUN echo built > /greeting
CMD ["cat", "/greeting"]
"""
_DERIVED = """\
ARG BASE=hello:1.0
FROM ${BASE} AS first
RUN echo derived >> /greeting
FROM first
ENV A=b
"""


def run(instance: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "skerry.engine.node.containerd.images"]
    socket = ["--socket", str(instance.config.paths.containerd_socket)]
    return subprocess.run([*command, *socket, *arguments], capture_output=True, text=True, check=False, timeout=60)


async def test_build_from_scratch_and_from_a_local_image(instance: Instance, tmp_path: Path) -> None:
    """The name a manifest uses finds the image without pulling, and the built content runs."""
    shutil.copy("/bin/busybox", tmp_path / "busybox")
    (tmp_path / "Dockerfile").write_text(_DOCKERFILE)
    (tmp_path / "derived").write_text(_DERIVED)
    work = str(instance.config.paths.data / "build")
    context = str(tmp_path)
    done = run(instance, "build", context, "-t", "hello:1.0", "--work-dir", work, "-o", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"built": ["hello:1.0"]}), done.stderr
    assert "STEP 4/5: RUN echo built > /greeting" in done.stderr
    name = "paulbouwer/hello-kubernetes:1.9"
    done = run(instance, "build", context, "-f", str(tmp_path / "derived"), "-t", name, "--work-dir", work)
    assert (done.returncode, done.stdout) == (0, f"{name}\n"), done.stderr
    assert os.listdir(work) == []
    assert work not in Path("/proc/self/mountinfo").read_text()
    pod = await instance.run_pod(command=("/bin/busybox", "cat", "/greeting"), image=name)
    access = NodePodAccess(instance.config)
    text = b"".join([chunk async for chunk in access.logs(pod.obj, "main", LogOptions(follow=True))])
    await access.close()
    assert text == b"built\nderived\n"


async def test_failed_step_and_missing_dockerfile(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox:test\nRUN exit 3\n")
    work = str(instance.config.paths.data / "build")
    done = run(instance, "build", str(tmp_path), "-t", "x", "--work-dir", work)
    assert done.returncode == 1
    assert "RUN exit 3" in done.stderr.splitlines()[-1]
    (tmp_path / "Dockerfile").unlink()
    done = run(instance, "build", str(tmp_path), "-t", "x", "--work-dir", work)
    assert (done.returncode, done.stderr) == (1, f"no Dockerfile: {tmp_path}/Dockerfile does not exist\n")


async def test_load_list_remove(instance: Instance, tmp_path: Path) -> None:
    """Compressed archives too; the pause image is ours and not shown; a name goes, then the image."""
    archive = busybox_archive(tmp_path, "team/tool:v2")
    packed = tmp_path / "packed.tar.gz"
    packed.write_bytes(gzip.compress(archive.read_bytes(), 1))
    assert run(instance, "load", str(packed)).stdout == "team/tool:v2\n"
    listed = json.loads(run(instance, "ls", "-o", "json").stdout)["images"]
    (shared,) = listed  # the same content under two names
    assert shared["names"] == ["busybox:test", "team/tool:v2"]
    assert shared["sizeBytes"] > 100_000
    assert run(instance, "rm", "docker.io/team/tool:v2").returncode == 0
    assert [one["names"] for one in json.loads(run(instance, "ls", "-o", "json").stdout)["images"]] == [
        ["busybox:test"]
    ]
    assert run(instance, "rm", "busybox:test").returncode == 0
    assert json.loads(run(instance, "ls", "-o", "json").stdout) == {"images": []}
    assert await instance.cri.image_status("busybox:test") is None
    done = run(instance, "rm", "busybox:test")
    assert (done.returncode, done.stderr) == (1, "no such image: busybox:test\n")


@pytest.mark.parametrize("content", [b"no archive", gzip.compress(b"no archive"), gzip.compress(b"x" * 9999)[:40]])
async def test_load_refuses_what_is_no_image(instance: Instance, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    done = run(instance, "load", str(tmp_path / "file"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot load {tmp_path}/file: ")
    assert done.stderr.count("\n") == 1
