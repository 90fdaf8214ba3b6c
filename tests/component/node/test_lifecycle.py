"""Pods from their creation to their end on a real containerd."""

from __future__ import annotations

import time

import pytest

from tests.component.node.node import Node, container, container_id, phase, pod, ready, restarted, status_of, waiting
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="package")]


async def test_runs_and_is_deleted(node: Node) -> None:
    await node.create(pod("web"))
    running = await node.until("web", ready)
    assert running["status"]["phase"] == "Running"
    assert running["status"]["podIP"].startswith("10.251.40.")
    assert status_of(running)["restartCount"] == 0
    for reason, message in (("Pulled", ""), ("Created", "Container created"), ("Started", "Container started")):
        await node.until_told("web", reason, message)
    await node.delete("web")
    await node.until_gone("web")
    await node.until_told("web", "Killing")


async def test_exit_codes_decide_the_phase(node: Node) -> None:
    await node.create(pod("good", container(["true"]), restartPolicy="Never"))
    await node.create(
        pod("bad", container(["sh", "-c", "echo why > /dev/termination-log; exit 7"]), restartPolicy="Never")
    )
    good = await node.until("good", phase("Succeeded"))
    assert status_of(good)["state"]["terminated"]["reason"] == "Completed"
    bad = await node.until("bad", phase("Failed"))
    ended = status_of(bad)["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (7, "Error", "why\n")


async def test_crash_restarts_at_once_then_backs_off(node: Node) -> None:
    await node.create(pod("crash", container(["sh", "-c", "sleep 0.2; exit 3"])))
    crashed = await node.until("crash", waiting("CrashLoopBackOff"))
    status = status_of(crashed)
    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert "back-off 10s restarting failed container=main" in status["state"]["waiting"]["message"]
    assert crashed["status"]["phase"] == "Running"
    await node.until_told("crash", "BackOff")
    await node.until("crash", restarted(2))


async def test_killed_process_is_restarted(node: Node) -> None:
    await node.create(pod("victim", container(["sh", "-c", "trap 'exit 1' USR1; while :; do sleep 0.05; done"])))
    before = await node.until("victim", ready)
    await node.crash(before)
    after = await node.until("victim", lambda pod: status_of(pod)["restartCount"] == 1 and ready(pod))
    assert container_id(after) != container_id(before)
    assert status_of(after)["lastState"]["terminated"]["containerID"].endswith(container_id(before))


async def test_out_of_memory_is_told(node: Node) -> None:
    limits = {"limits": {"memory": "20Mi"}}
    command = ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=60M count=2"]
    await node.create(pod("greedy", container(command, resources=limits), restartPolicy="Never"))
    failed = await node.until("greedy", phase("Failed"))
    ended = status_of(failed)["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


async def test_init_containers_run_in_order_before_the_main_one(node: Node) -> None:
    mount = [{"name": "shared", "mountPath": "/shared"}]
    inits = [
        container(["sh", "-c", f"echo {name} >> /shared/order; sleep 0.2"], name, volumeMounts=mount)
        for name in ("first", "second")
    ]
    main = container(volumeMounts=mount)
    await node.create(pod("ordered", main, initContainers=inits, volumes=[{"name": "shared", "emptyDir": {}}]))
    running = await node.until("ordered", ready)
    assert await node.exec("ordered", "cat", "/shared/order") == "first\nsecond\n"
    assert all(status_of(running, name)["ready"] for name in ("first", "second"))
    conditions = {condition["type"]: condition["status"] for condition in running["status"]["conditions"]}
    assert conditions["Initialized"] == "True"


async def test_failing_init_container_fails_a_pod_that_never_restarts(node: Node) -> None:
    inits = [container(["sh", "-c", "exit 4"], "setup")]
    await node.create(pod("broken", initContainers=inits, restartPolicy="Never"))
    failed = await node.until("broken", phase("Failed"))
    assert status_of(failed, "setup")["state"]["terminated"]["exitCode"] == 4
    assert status_of(failed)["state"]["waiting"]["reason"] == "PodInitializing"


async def test_sidecar_starts_first_and_ends_last(node: Node) -> None:
    sidecar = container(name="side", restartPolicy="Always")
    await node.create(pod("job", container(["sleep", "0.3"]), initContainers=[sidecar], restartPolicy="Never"))
    done = await node.until("job", phase("Succeeded"))
    done = await node.until("job", lambda pod: "terminated" in status_of(pod, "side")["state"])
    main = status_of(done)["state"]["terminated"]
    assert status_of(done, "side")["state"]["terminated"]["finishedAt"] >= main["finishedAt"]


async def test_stubborn_process_is_killed_after_its_grace(node: Node) -> None:
    await node.create(pod("deaf", container(["sleep", "1000"]), terminationGracePeriodSeconds=1))
    await node.until("deaf", ready)
    began = time.monotonic()
    await node.delete("deaf")
    await node.until_gone("deaf")
    assert 0.9 < time.monotonic() - began < 25, "neither at once nor after the 30 seconds of who asks for nothing"


async def test_grace_zero_ends_at_once(node: Node) -> None:
    await node.create(pod("forced", container(["sleep", "1000"]), terminationGracePeriodSeconds=3600))
    running = await node.until("forced", ready)
    await node.delete("forced", 0)
    await node.until_gone("forced")
    labels = {"io.kubernetes.pod.uid": running["metadata"]["uid"]}

    async def ended() -> bool:
        return not await node.instance.cri.list_containers(labels=labels)

    await until(ended, "the end of the container, not after the grace that it would have had")


async def test_hooks_run(node: Node) -> None:
    mount = [{"name": "shared", "mountPath": "/shared"}]
    hooks = {
        "postStart": {"exec": {"command": ["sh", "-c", "echo started > /shared/log"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo stopping >> /shared/log"]}},
    }
    volumes = [
        {"name": "shared", "hostPath": {"path": str(node.config.paths.data / "hooks"), "type": "DirectoryOrCreate"}}
    ]
    await node.create(pod("hooked", container(volumeMounts=mount, lifecycle=hooks), volumes=volumes))
    await node.until("hooked", ready)
    log = node.config.paths.data / "hooks" / "log"
    assert log.read_text() == "started\n"
    await node.delete("hooked")
    await node.until_gone("hooked")
    assert log.read_text() == "started\nstopping\n"


async def test_failed_post_start_hook_restarts_the_container(node: Node) -> None:
    hooks = {"postStart": {"exec": {"command": ["false"]}}}
    await node.create(pod("unhooked", container(lifecycle=hooks), terminationGracePeriodSeconds=1))
    await node.until("unhooked", restarted(1))
    await node.until_told("unhooked", "FailedPostStartHook")


async def test_active_deadline(node: Node) -> None:
    await node.create(pod("late", activeDeadlineSeconds=1))
    failed = await node.until("late", phase("Failed"))
    assert failed["status"]["reason"] == "DeadlineExceeded"
    await node.until("late", lambda pod: "running" not in status_of(pod)["state"])  # it may never have run


async def test_dead_sandbox_is_replaced(node: Node) -> None:
    await node.create(pod("lost"))
    before = await node.until("lost", ready)
    sandboxes = await node.instance.cri.list_pod_sandboxes({"io.kubernetes.pod.uid": before["metadata"]["uid"]})
    await node.instance.cri.stop_pod_sandbox(sandboxes[0].id)
    after = await node.until("lost", lambda pod: restarted(1)(pod) and ready(pod))
    assert container_id(after) != container_id(before)
