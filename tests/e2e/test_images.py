"""`skerry image`: what is built or loaded here can be run here, without any registry."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

from tests.support.images import busybox_archive
from tests.support.program import Program
from tests.support.waiting import WITHIN


def images(program: Program) -> set[str]:
    return {image["name"] for image in json.loads(program.skerry("image", "ls", "-o", "json").stdout)}


def test_build_on_a_loaded_image_and_run_it(program: Program, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        """
        FROM busybox:test
        ARG GREETING
        RUN echo "$GREETING from $(id -u)" > /greeting
        USER 1000
        CMD ["cat", "/greeting"]
        """
    )
    program.skerry("image", "build", "-t", "greeter:1", "--build-arg", "GREETING=hello", str(tmp_path))
    assert "docker.io/library/greeter:1" in images(program)
    program.kubectl("run", "greeter", "-n", namespace, "--image", "greeter:1", "--restart", "Never")
    done = "jsonpath={.status.phase}=Succeeded"
    program.kubectl("wait", "pod/greeter", "-n", namespace, "--for", done, WITHIN)
    assert program.kubectl("logs", "greeter", "-n", namespace).stdout == "hello from 0\n"

    program.skerry("image", "rm", "greeter:1")
    assert "docker.io/library/greeter:1" not in images(program)


def test_a_build_that_fails_says_so_and_leaves_no_mounts(program: Program, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox:test\nRUN false\n")
    failed = program.skerry("image", "build", "-t", "never:1", str(tmp_path), check=False)
    assert failed.returncode == 1
    assert failed.stderr.endswith("skerry: buildah bud failed with code 1\n")
    assert str(program.data_dir / "build") not in Path("/proc/self/mountinfo").read_text()
    assert "docker.io/library/never:1" not in images(program)


def test_archives_compressed_renamed_and_nameless(program: Program, tmp_path: Path) -> None:
    archive = busybox_archive(tmp_path, "team/tool:2")
    packed = tmp_path / "tool.tar.gz"
    with archive.open("rb") as plain, gzip.open(packed, "wb", compresslevel=1) as file:
        shutil.copyfileobj(plain, file)
    assert program.skerry("image", "load", str(packed)).stdout == "loaded team/tool:2\n"
    assert "docker.io/team/tool:2" in images(program)

    program.skerry("image", "load", str(archive), "--name", "registry.example/tool:3")
    assert "registry.example/tool:3" in images(program)

    nameless = tmp_path / "nameless.tar"
    stripped = busybox_archive(tmp_path, "x:1")
    subprocess.run(["tar", "xf", stripped, "-C", tmp_path], check=True)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps([{**manifest[0], "RepoTags": None}]))
    members = ["manifest.json", manifest[0]["Config"], *manifest[0]["Layers"]]
    subprocess.run(["tar", "cf", nameless, "-C", tmp_path, *members], check=True)
    refused = program.skerry("image", "load", str(nameless), check=False)
    assert (refused.returncode, "--name" in refused.stderr) == (1, True)
    assert program.skerry("image", "load", str(nameless), "--name", "named:1").stdout == "loaded named:1\n"


def test_what_is_no_archive_is_refused(program: Program, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not an image")
    refused = program.skerry("image", "load", str(tmp_path / "notes.txt"), check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("skerry: ")


def test_what_was_loaded_is_not_said_to_be_missing(program: Program, tmp_path: Path) -> None:
    """The node tells of it when the command ends: a check that asks right then finds it. It took up to ten seconds."""
    manifest = tmp_path / "pod.yaml"
    for number in range(3):
        image = f"skerry.local/fresh:{number}"
        manifest.write_text(
            "{apiVersion: v1, kind: Pod, metadata: {name: fresh, namespace: default}, "
            f"spec: {{containers: [{{name: main, image: '{image}'}}]}}}}"
        )
        missing = program.skerry("check", "--namespace", "default", str(manifest), check=False)
        assert f"no node has the image {image}" in missing.stdout
        program.skerry("image", "load", str(busybox_archive(tmp_path, image)))
        found = program.skerry("check", "--namespace", "default", str(manifest), check=False)
        assert "no node has the image" not in found.stdout
        program.skerry("image", "rm", image)
