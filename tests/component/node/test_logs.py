"""Container logs on disk: where they are, their last lines as a message, rotation."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.engine.node.log_rotation import rotate, rotated_files
from skerry.kube.objects import Obj
from tests.component.node.node import Node, container, container_id, phase, pod, ready, restarted, status_of
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


def log_of(node: Node, of: Obj, attempt: int = 0) -> Path:
    name, uid = of["metadata"]["name"], of["metadata"]["uid"]
    return node.config.paths.pod_logs / f"default_{name}_{uid}" / "main" / f"{attempt}.log"


async def until_written(path: Path, text: str) -> None:
    await until(lambda: text in path.read_text(), f"{text} in {path}")


async def test_end_of_the_log_is_the_message(node: Node) -> None:
    main = container(
        ["sh", "-c", "echo first; sleep 0.3; echo last >&2; exit 1"], terminationMessagePolicy="FallbackToLogsOnError"
    )
    await node.create(pod("talker", main, restartPolicy="Never"))
    failed = await node.until("talker", phase("Failed"))
    assert status_of(failed)["state"]["terminated"]["message"] == "first\nlast\n"


async def test_log_is_rotated_without_losing_lines(node: Node) -> None:
    main = container(["sh", "-c", "n=0; while :; do n=$((n+1)); echo line-$n; sleep 0.02; done"])
    await node.create(pod("chatty", main))
    running = await node.until("chatty", ready)
    path = log_of(node, running)
    await until_written(path, "line-3")
    cri, identity, now = node.instance.cri, container_id(running), node.config.clock.now()
    assert not await rotate(cri, identity, path, now)
    assert await rotate(cri, identity, path, now, largest=10)
    await until_written(path, "line-")
    lines = [line.split()[3] for file in (*rotated_files(path), path) for line in file.read_text().splitlines()]
    assert lines == [f"line-{number + 1}" for number in range(len(lines))]


async def test_logs_of_old_attempts_go_with_them(node: Node) -> None:
    main = container(["sh", "-c", "echo once; trap 'exit 1' USR1; while :; do sleep 0.05; done"])
    await node.create(pod("reborn", main))
    running = await node.until("reborn", ready)
    await node.crash(running)
    await node.until("reborn", lambda pod: restarted(1)(pod) and ready(pod))
    assert log_of(node, running, 0).exists()
    assert log_of(node, running, 1).exists()


async def test_permissions_a_container_set_survive_a_restart_of_the_agent(node: Node) -> None:
    main = container(volumeMounts=[{"name": "data", "mountPath": "/data"}])
    await node.create(pod("private", main, volumes=[{"name": "data", "emptyDir": {}}]))
    await node.until("private", ready)
    await node.exec("private", "sh", "-c", "busybox chmod 700 /data")
    await node.stop()
    await node.start()
    await node.until_looked_at("private")
    assert (await node.exec("private", "sh", "-c", "busybox stat -c %a /data")).strip() == "700"
