"""The status computed for a pod."""

from __future__ import annotations

import pytest

from skerry.engine.node.pods.state import ContainerRecord, Phase, ProbeState, SandboxRecord, Termination, Wait
from skerry.engine.node.status.merge import matters, with_latest_status
from skerry.engine.node.status.pod_status import pod_status
from skerry.kube.objects import Obj
from tests.unit.node.views import NOW, container, exited, pod, record, view

HOST = ("192.168.0.9",)


def condition(status: Obj, kind: str) -> Obj:
    return next(entry for entry in status["conditions"] if entry["type"] == kind)


def state(status: Obj, name: str = "main") -> Obj:
    statuses = [*status["containerStatuses"], *status.get("initContainerStatuses", [])]
    return next(entry for entry in statuses if entry["name"] == name)


def test_running_and_ready() -> None:
    status = pod_status(view(pod(), record(attempt=2, image="app:1", image_id="sha256:1")), HOST)
    assert (status["phase"], status["podIP"], status["hostIP"]) == ("Running", "10.0.0.5", HOST[0])
    assert condition(status, "Ready")["status"] == "True"
    main = state(status)
    assert main["containerID"] == "containerd://main-2"
    assert (main["restartCount"], main["ready"], main["started"]) == (2, True, True)
    assert main["state"] == {"running": {"startedAt": "2026-11-22T11:59:00Z"}}


@pytest.mark.parametrize(
    ("policy", "records", "phase"),
    [
        ("Always", [], "Pending"),
        ("Always", [exited("a"), record("b")], "Running"),
        ("Always", [exited("a"), exited("b")], "Running"),
        ("OnFailure", [exited("a"), exited("b")], "Succeeded"),
        ("OnFailure", [exited("a", 1), exited("b")], "Running"),
        ("Never", [exited("a", 1), exited("b")], "Failed"),
        ("Never", [exited("a", 1), record("b")], "Running"),
        ("Never", [record("a")], "Pending"),
    ],
)
def test_phase(policy: str, records: list[ContainerRecord], phase: str) -> None:
    both = pod(container("a"), container("b"), restartPolicy=policy)
    assert pod_status(view(both, *records), HOST)["phase"] == phase


def test_phase_while_initialising() -> None:
    init = [container("setup")]
    assert pod_status(view(pod(init=init), record("setup")), HOST)["phase"] == "Pending"
    never = pod(init=init, restartPolicy="Never")
    status = pod_status(view(never, exited("setup", 3)), HOST)
    assert status["phase"] == "Failed"
    assert state(status)["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_an_end_is_final() -> None:
    over = pod(status={"phase": "Failed", "reason": "Evicted", "message": "why"})
    status = pod_status(view(over, record()), HOST)
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "Evicted", "why")


def test_deleted_pod_ends_by_its_exit_codes() -> None:
    ending = Termination(NOW)
    assert pod_status(view(pod(), exited(), termination=ending), HOST)["phase"] == "Succeeded"
    assert pod_status(view(pod(), exited(code=143), termination=ending), HOST)["phase"] == "Failed"
    assert pod_status(view(pod(), record(), termination=ending), HOST)["phase"] == "Running"


def test_deadline_fails_the_pod() -> None:
    ending = Termination(NOW, True, "DeadlineExceeded", "too long")
    status = pod_status(view(pod(), record(), termination=ending), HOST)
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")


def test_crash_loop_shows_why_and_what_was() -> None:
    waits = {"main": Wait("CrashLoopBackOff", "back-off 10s", NOW)}
    status = pod_status(view(pod(), exited(code=2, message="last words"), waits=waits), HOST)
    main = state(status)
    assert main["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    ended = main["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (2, "Error", "last words")
    assert status["phase"] == "Running"
    assert condition(status, "Ready")["message"] == "containers with unready status: [main]"


def test_restarted_container_shows_its_previous_end() -> None:
    status = pod_status(view(pod(), record(attempt=1), exited(code=137, reason="OOMKilled")), HOST)
    assert state(status)["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert "running" in state(status)["state"]


def test_probes_decide_readiness() -> None:
    unready = {"main-0": ProbeState(started=True, ready=False)}
    status = pod_status(view(pod(), record(), probes=unready), HOST)
    assert (state(status)["ready"], state(status)["started"], status["phase"]) == (False, True, "Running")
    starting = {"main-0": ProbeState(started=False, ready=False)}
    assert state(pod_status(view(pod(), record(), probes=starting), HOST))["started"] is False


def test_readiness_gates() -> None:
    gated = {"readinessGates": [{"conditionType": "example.org/in-rotation"}]}
    status = pod_status(view(pod(**gated), record()), HOST)
    assert condition(status, "Ready")["reason"] == "ReadinessGatesNotReady"
    assert condition(status, "ContainersReady")["status"] == "True"
    given = {"conditions": [{"type": "example.org/in-rotation", "status": "True"}]}
    assert condition(pod_status(view(pod(**gated, status=given), record()), HOST), "Ready")["status"] == "True"


def test_transition_time_moves_only_with_the_status() -> None:
    before = pod_status(view(pod(), record()), HOST)
    for entry in before["conditions"]:
        entry["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    after = pod_status(view(pod(status=before), exited(code=1)), HOST)
    assert condition(after, "Initialized")["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert condition(after, "Ready")["lastTransitionTime"] == "2026-11-22T12:00:00Z"


def test_conditions_of_others_are_kept() -> None:
    theirs = {"type": "example.org/in-rotation", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    status = pod_status(view(pod(status={"conditions": [theirs]}), record()), HOST)
    assert theirs in status["conditions"]


def test_conditions_say_which_generation_they_are_of() -> None:
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    changed = pod(status={"conditions": [scheduled]})
    changed["metadata"]["generation"] = 2
    status = pod_status(view(changed, record()), HOST)
    assert {each["type"]: each["observedGeneration"] for each in status["conditions"]} == dict.fromkeys(
        ("PodScheduled", "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"), 2
    )
    assert condition(status, "PodScheduled")["lastTransitionTime"] == scheduled["lastTransitionTime"]


def test_sandbox_makes_the_pod_ready_to_start_containers() -> None:
    assert condition(pod_status(view(pod(), sandbox=None), HOST), "PodReadyToStartContainers")["status"] == "False"
    waiting = view(pod(), sandbox=SandboxRecord("s", 0, True, ("10.0.0.7",)))
    status = pod_status(waiting, HOST)
    assert condition(status, "PodReadyToStartContainers")["status"] == "True"
    assert state(status)["state"]["waiting"]["reason"] == "ContainerCreating"


def test_created_container_waits() -> None:
    assert "waiting" in state(pod_status(view(pod(), record(phase=Phase.CREATED)), HOST))["state"]


def test_our_last_status_is_newer_than_the_cache() -> None:
    ours = pod_status(view(pod(), record()), HOST)
    theirs = {"type": "example.org/in-rotation", "status": "True"}
    cached = pod(status={"phase": "Pending", "conditions": [theirs]})
    merged = with_latest_status(cached, ours)["status"]
    assert merged["phase"] == "Running"
    assert theirs in merged["conditions"]
    evicted = pod(status={"phase": "Failed", "reason": "Evicted"})
    assert with_latest_status(evicted, ours) is evicted
    assert with_latest_status(cached, None) is cached


def test_host_network_has_the_host_address() -> None:
    assert pod_status(view(pod(hostNetwork=True), record()), ("192.0.2.7", "2001:db8::7"))["podIPs"] == [
        {"ip": "192.0.2.7"},
        {"ip": "2001:db8::7"},
    ]


def test_start_time_stays() -> None:
    started = pod(status={"startTime": "2026-01-01T00:00:00Z"})
    assert pod_status(view(started), HOST)["startTime"] == "2026-01-01T00:00:00Z"


def test_echo_of_our_own_status_does_not_matter() -> None:
    ours = pod_status(view(pod(), record()), HOST)
    echo = pod(status=ours)
    echo["metadata"]["resourceVersion"] = "7"
    assert not matters(pod(), echo)
    labelled = pod(status=ours)
    labelled["metadata"]["labels"] = {"a": "b"}
    assert matters(pod(), labelled)
    assert matters(pod(), pod(container("other")))
    assert matters(pod(), pod(status={"conditions": [{"type": "example.org/gate", "status": "True"}]}))
    assert matters(pod(), pod(status={"phase": "Failed"}))
