"""Volumes as containers see them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from skerry.engine.node.volumes import tokens
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS
from tests.component.node.node import Node, container, pod, ready
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


def with_volume(name: str, volume: Obj, mount: Obj | None = None, **spec: Any) -> Obj:
    main = container(volumeMounts=[{"name": "v", "mountPath": "/v", **(mount or {})}])
    return pod(name, main, volumes=[{"name": "v", **volume}], **spec)


async def until_says(node: Node, holds: Callable[[str], bool], name: str, *command: str) -> None:
    """Wait until what a command in the pod prints is as wanted."""

    async def says() -> bool:
        return holds(await node.exec(name, *command))

    await until(says, " ".join(command))


async def test_config_map_files_follow_the_object(node: Node) -> None:
    settings = {"metadata": {"name": "files"}, "data": {"a": "1", "b": "2"}}
    await node.client.create(CONFIG_MAPS, settings, "default")
    await node.create(with_volume("mapped", {"configMap": {"name": "files"}}))
    await node.until("mapped", ready)
    assert await node.exec("mapped", "cat", "/v/a", "/v/b") == "12"
    await node.client.patch(CONFIG_MAPS, "files", {"data": {"a": "new", "b": None}}, "default")
    await until_says(node, lambda said: said == "new", "mapped", "cat", "/v/a")
    assert (await node.exec("mapped", "ls", "/v")).split() == ["a"]


async def test_secret_files_are_in_memory(node: Node) -> None:
    await node.client.create(SECRETS, {"metadata": {"name": "hidden"}, "stringData": {"k": "v"}}, "default")
    source = {"secretName": "hidden", "defaultMode": 0o400, "items": [{"key": "k", "path": "deep/file"}]}
    await node.create(with_volume("secretive", {"secret": source}, {"readOnly": True}))
    running = await node.until("secretive", ready)
    assert await node.exec("secretive", "cat", "/v/deep/file") == "v"
    assert " /v tmpfs ro" in await node.exec("secretive", "cat", "/proc/mounts")
    directory = node.config.paths.pods / running["metadata"]["uid"] / "volumes" / "v"
    assert directory.is_mount()
    await node.delete("secretive", 1)
    await node.until_gone("secretive")
    await until(lambda: not directory.exists(), "the end of the directory")


async def test_missing_secret_keeps_the_pod_pending_until_it_is_there(node: Node) -> None:
    await node.create(with_volume("hopeful", {"secret": {"secretName": "tomorrow"}}))
    why = 'MountVolume.SetUp failed for volume "v" : secret "tomorrow" not found'
    await node.until_told("hopeful", "FailedMount", why)
    assert (await node.get("hopeful"))["status"]["phase"] == "Pending"
    await node.client.create(SECRETS, {"metadata": {"name": "tomorrow"}, "stringData": {"k": "v"}}, "default")
    await node.until("hopeful", ready)


async def test_downward_files_follow_labels(node: Node) -> None:
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    wanted = with_volume("shown", {"downwardAPI": {"items": items}})
    wanted["metadata"]["labels"] = {"app": "x"}
    await node.create(wanted)
    await node.until("shown", ready)
    assert await node.exec("shown", "cat", "/v/labels") == 'app="x"'
    await node.client.patch(PODS, "shown", {"metadata": {"labels": {"app": "y"}}}, "default")
    await until_says(node, lambda said: said == 'app="y"', "shown", "cat", "/v/labels")


async def test_memory_volume_has_its_limit(node: Node) -> None:
    await node.create(with_volume("ram", {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}))
    await node.until("ram", ready)
    assert "size=1024k" in await node.exec("ram", "cat", "/proc/mounts")


async def test_group_owns_volumes(node: Node) -> None:
    await node.create(
        with_volume(
            "grouped", {"emptyDir": {}}, securityContext={"fsGroup": 3000, "runAsUser": 1000, "runAsGroup": 1000}
        )
    )
    await node.until("grouped", ready)
    await node.exec("grouped", "touch", "/v/mine")
    assert "3000" in await node.exec("grouped", "ls", "-ln", "/v/mine")


async def test_subpath_cannot_leave_the_volume(node: Node) -> None:
    host = node.config.paths.data / "escape"
    host.mkdir()
    (host / "link").symlink_to("/etc")
    (host / "good").mkdir()
    (host / "good" / "file").write_text("inside")
    volume = {"hostPath": {"path": str(host)}}
    await node.create(with_volume("contained", volume, {"subPath": "good"}))
    await node.until("contained", ready)
    assert await node.exec("contained", "cat", "/v/file") == "inside"
    await node.create(with_volume("escaping", volume, {"subPath": "link"}))
    await node.until_told("escaping", "Failed", "Error: subPath 'link' leads out of the volume")


def token_volume(seconds: int = 3600) -> Obj:
    token = {"serviceAccountToken": {"path": "token", "expirationSeconds": seconds, "audience": "them"}}
    return {"projected": {"sources": [token, {"configMap": {"name": "beside"}}]}}


async def make_account(node: Node, name: str) -> None:
    """Nobody publishes the certificate here that an automatic token volume shows beside the token."""
    account = {"metadata": {"name": name}, "automountServiceAccountToken": False}
    await node.client.create(SERVICE_ACCOUNTS, account, "default")


async def test_token_is_the_containers_users_own_and_outlives_the_agent(node: Node) -> None:
    await make_account(node, "app")
    await node.client.create(CONFIG_MAPS, {"metadata": {"name": "beside"}, "data": {"a": "1"}}, "default")
    spec = {"serviceAccountName": "app", "securityContext": {"runAsUser": 1000}}
    await node.create(with_volume("caller", token_volume(), {"readOnly": True}, **spec))
    running = await node.until("caller", ready)
    assert (await node.exec("caller", "ls", "-lnL", "/v/token")).split()[:3] == ["-rw-------", "1", "1000"]
    token = await node.exec("caller", "cat", "/v/token")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == "system:serviceaccount:default:app"
    assert claims["kubernetes.io"]["pod"] == {"name": "caller", "uid": running["metadata"]["uid"]}
    await node.stop()
    await node.client.patch(CONFIG_MAPS, "beside", {"data": {"a": "2"}}, "default")
    await node.start()
    await until_says(node, lambda said: said == "2", "caller", "cat", "/v/a")
    await node.delete("caller", 1)
    await node.until_gone("caller")


async def test_tokens_are_renewed_while_the_pod_runs(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    read = asyncio.Event()

    def renewal_of(*_: object) -> datetime:
        """Soon, until one has been read, however slow the machine is: at least one more comes then."""
        return datetime.now(UTC) + (timedelta(hours=1) if read.is_set() else timedelta(seconds=1))

    monkeypatch.setattr(tokens, "renewal_of", renewal_of)
    await make_account(node, "renewed")
    volume = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    await node.create(with_volume("renewed", volume, serviceAccountName="renewed"))
    await node.until("renewed", ready)
    first = await node.exec("renewed", "cat", "/v/token")
    read.set()
    await until_says(node, lambda said: said != first, "renewed", "cat", "/v/token")
    await node.delete("renewed", 1)
    await node.until_gone("renewed")
