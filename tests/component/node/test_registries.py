"""Images pulled from a real registry: by nobody, with an account, through a mirror that the machine's files name."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.node.containerd.config_file import registries
from skerry.kube.resources import SECRETS
from tests.component.node.node import SLEEP, Node, pod, ready, status_of, waiting
from tests.support.images import busybox_archive
from tests.support.oci_registry import oci_registry
from tests.support.program import program_path

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


async def push(node: Node, folder: Path, image: str, *command: str) -> None:
    """An image that a registry has and the node does not: containerd's namespaces do not see each other's."""
    archive = busybox_archive(folder, image, command or ("/bin/sh",))
    await ctr(node, "import", str(archive))
    await ctr(node, "push", "--plain-http", "--user", "anna:secret", image)
    await ctr(node, "rm", image)


async def ctr(node: Node, *words: str) -> None:
    command = [program_path("ctr"), "-a", str(node.config.paths.containerd_socket), "-n", "pushing", "images", *words]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


def of(image: str) -> dict[str, Any]:
    return {"name": "main", "image": image, "command": SLEEP}


async def test_a_floating_tag_is_pulled_every_time(node: Node, tmp_path: Path) -> None:
    async with oci_registry(tmp_path / "registry", everybody=True) as registry:
        image = f"{registry.host}/team/app:latest"
        await push(node, tmp_path, image)
        await node.create(pod("floating", of(image)))
        first = status_of(await node.until("floating", ready))
        assert first["imageID"].startswith(f"{registry.host}/team/app@sha256:")
        await node.until_told("floating", "Pulled", f'Successfully pulled image "{image}" in ')
        await push(node, tmp_path, image, "/bin/true")
        await node.create(pod("floated", of(image)))
        second = status_of(await node.until("floated", ready))
        assert second["imageID"] != first["imageID"]


async def test_a_registry_with_accounts(node: Node, tmp_path: Path) -> None:
    async with oci_registry(tmp_path / "registry") as registry:
        image = f"{registry.host}/team/private:1"
        await push(node, tmp_path, image, "/bin/private")
        auth = base64.b64encode(b"anna:secret").decode()
        kept = base64.b64encode(json.dumps({"auths": {registry.host: {"auth": auth}}}).encode()).decode()
        secret = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": kept}}
        await node.client.create(SECRETS, {"metadata": {"name": "account"}, **secret}, "default")
        await node.create(pod("nobody", of(image)))
        await node.until("nobody", waiting("ErrImagePull"))
        await node.create(pod("anna", of(image), imagePullSecrets=[{"name": "account"}]))
        await node.until("anna", ready)


async def test_a_mirror_stands_where_a_registry_would(node: Node, tmp_path: Path) -> None:
    async with oci_registry(tmp_path / "registry", everybody=True) as mirror:
        await push(node, tmp_path, f"{mirror.host}/team/app:1", "/bin/mirrored")
        settings = registries(node.config.paths) / "registry.example" / "hosts.toml"
        settings.parent.mkdir()
        settings.write_text(f'[host."http://{mirror.host}"]\ncapabilities = ["pull", "resolve"]\n')
        await node.create(pod("mirrored", of("registry.example/team/app:1")))
        running = status_of(await node.until("mirrored", ready))
        assert running["imageID"].startswith("registry.example/team/app@sha256:")
