"""What is decided about a pod, case by case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.node.pods.plan import (
    DropSandbox,
    Kill,
    MakeSandbox,
    MountVolumes,
    Plan,
    Release,
    Start,
    plan,
)
from skerry.engine.node.pods.state import Phase, ProbeState, SandboxRecord, Termination, Wait
from skerry.engine.node.status.pod_status import pod_status
from tests.unit.node.views import NOW, container, exited, pod, record, view

SOON, DEADLINE = NOW + timedelta(seconds=5), NOW + timedelta(seconds=30)
SIDECAR = container("side", restartPolicy="Always")


def test_new_pod_gets_volumes_and_a_sandbox() -> None:
    assert plan(view(pod(), sandbox=None, volumes_ready=False)).actions == (MountVolumes(), MakeSandbox(0))


def test_failed_sandbox_waits_for_its_back_off() -> None:
    waiting = view(pod(), sandbox=None, pod_wait=Wait("FailedMount", "no", SOON))
    assert plan(waiting) == Plan(again_at=SOON)


def test_dead_sandbox_is_replaced() -> None:
    dead = SandboxRecord("old", 2, False)
    assert plan(view(pod(), sandbox=dead)).actions == (DropSandbox("old"), MakeSandbox(3))


def test_all_main_containers_start() -> None:
    both = pod(container("a"), container("b"))
    assert plan(view(both)).actions == (Start("a", 0), Start("b", 0))


def test_running_pod_needs_nothing() -> None:
    assert plan(view(pod(), record())) == Plan()


@pytest.mark.parametrize(
    ("policy", "code", "restarts"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_restart_policy(policy: str, code: int, restarts: bool) -> None:
    decided = plan(view(pod(restartPolicy=policy), exited(code=code)))
    assert decided.actions == ((Start("main", 1),) if restarts else (Release(),))


def test_crash_loop_waits() -> None:
    waits = {"main": Wait("CrashLoopBackOff", "", SOON)}
    assert plan(view(pod(), exited(code=1), waits=waits)) == Plan(again_at=SOON)
    assert plan(view(pod(), exited(code=1), waits={"main": Wait("CrashLoopBackOff", "", NOW)})).actions


def test_created_but_never_started_is_discarded() -> None:
    decided = plan(view(pod(), record(phase=Phase.CREATED)))
    assert decided.actions == (Start("main", 0, discard="main-0"),)


def test_restart_count_goes_on_after_a_reboot() -> None:
    status = {"containerStatuses": [{"name": "main", "containerID": "containerd://x", "restartCount": 4}]}
    assert plan(view(pod(status=status))).actions == (Start("main", 5),)


def test_init_containers_in_order() -> None:
    two = pod(init=[container("one"), container("two")])
    assert plan(view(two)).actions == (Start("one", 0),)
    assert plan(view(two, record("one"))) == Plan()
    assert plan(view(two, exited("one"))).actions == (Start("two", 0),)
    assert plan(view(two, exited("one"), exited("two"))).actions == (Start("main", 0),)


def test_failed_init_container() -> None:
    failing = {"init": [container("one")]}
    assert plan(view(pod(**failing), exited("one", 1))).actions == (Start("one", 1),)
    assert plan(view(pod(**failing, restartPolicy="Never"), exited("one", 1))).actions == (Release(),)


def test_init_containers_run_again_in_a_new_sandbox() -> None:
    fresh = SandboxRecord("fresh", 1, True, ("10.0.0.6",))
    decided = plan(view(pod(init=[container("one")]), exited("one"), exited("main"), sandbox=fresh))
    assert decided.actions == (Start("one", 1),)


def test_sidecar_must_have_started_before_the_next() -> None:
    with_side = pod(init=[SIDECAR])
    assert plan(view(with_side)).actions == (Start("side", 0),)
    not_started = {"side-0": ProbeState(started=False, ready=False)}
    assert plan(view(with_side, record("side"), probes=not_started)) == Plan()
    assert plan(view(with_side, record("side"))).actions == (Start("main", 0),)
    assert plan(view(with_side, exited("side", 1), record())).actions == (Start("side", 1),)


def test_sidecar_ends_after_the_main_containers() -> None:
    ending = Termination(DEADLINE)
    both = pod(init=[SIDECAR])
    first = plan(view(both, record("side"), record(), termination=ending))
    assert [action.record.name for action in first.actions if isinstance(action, Kill)] == ["main"]
    then = plan(view(both, record("side"), exited(), termination=ending))
    assert [action.record.name for action in then.actions if isinstance(action, Kill)] == ["side"]


def test_finished_job_ends_its_sidecar() -> None:
    done = plan(view(pod(init=[SIDECAR], restartPolicy="Never"), record("side"), exited()))
    assert isinstance(done.actions[0], Kill)


def test_failed_liveness_kills_once() -> None:
    probes = {"main-0": ProbeState(failure="failed", grace=3)}
    assert plan(view(pod(), record(), probes=probes)).actions == (Kill(record(), "failed", grace=3),)
    assert plan(view(pod(), record(), probes=probes, killing={"main-0": SOON})) == Plan()


def test_changed_image_restarts() -> None:
    changed = plan(view(pod(container(image="app:2")), record()))
    assert changed.actions == (Kill(record(), "Container main definition changed, will be restarted"),)


def test_termination_kills_then_releases() -> None:
    ending = Termination(DEADLINE)
    assert plan(view(pod(), record(), termination=ending)).actions == (
        Kill(record(), "Stopping container main", DEADLINE),
    )
    assert plan(view(pod(), record(), termination=ending, killing={"main-0": DEADLINE})) == Plan()
    assert plan(view(pod(), exited(), termination=ending)).actions == (Release(),)
    released = SandboxRecord("sandbox", 0, False)
    assert plan(view(pod(), exited(), termination=ending, sandbox=released, volumes_ready=False)) == Plan()


def test_shorter_grace_overtakes_a_kill_under_way() -> None:
    decided = plan(view(pod(), record(), termination=Termination(NOW), killing={"main-0": DEADLINE}))
    assert decided.actions == (Kill(record(), "Stopping container main", NOW),)


@given(
    st.sampled_from(["Always", "OnFailure", "Never"]),
    st.lists(st.sampled_from(["none", "running", "ok", "failed", "created"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["none", "running", "ok", "failed"]), max_size=2),
    st.booleans(),
)
def test_never_starts_what_runs_and_nothing_in_an_ending_pod(
    policy: str, mains: list[str], inits: list[str], ending: bool
) -> None:
    records = []
    for prefix, states in (("m", mains), ("i", inits)):
        for number, state in enumerate(states):
            name = f"{prefix}{number}"
            made = {"running": record(name), "ok": exited(name), "failed": exited(name, 1)}
            made["created"] = record(name, Phase.CREATED)
            records += [made[state]] if state in made else []
    of = pod(
        *(container(f"m{number}") for number in range(len(mains))),
        init=[container(f"i{number}") for number in range(len(inits))],
        restartPolicy=policy,
    )
    decided = plan(view(of, *records, termination=Termination(NOW) if ending else None))
    starts = [action.name for action in decided.actions if isinstance(action, Start)]
    running = {found.name for found in records if found.running}
    assert not running & set(starts)
    assert not (ending and starts)
    assert sum(name.startswith("i") for name in starts) <= 1
    assert {name[0] for name in starts} != {"i", "m"}


def test_an_ephemeral_container_starts_at_once_and_only_once() -> None:
    debugged = pod(init=[container("setup")], ephemeralContainers=[container("debug")])
    assert Start("debug", 0) in plan(view(debugged, record("setup"))).actions
    for seen in (record("debug"), exited("debug", 1)):
        assert plan(view(debugged, record("setup"), seen)).actions == ()


def test_an_ephemeral_container_neither_keeps_a_pod_nor_fails_it() -> None:
    debugged = pod(ephemeralContainers=[container("debug")], restartPolicy="Never")
    (kill,) = plan(view(debugged, exited(), record("debug"))).actions
    assert isinstance(kill, Kill)
    assert kill.record.name == "debug"
    assert plan(view(debugged, record(), exited("debug", 1))).actions == ()


def test_an_ephemeral_container_the_runtime_forgot_is_not_started_again() -> None:
    status = {"ephemeralContainerStatuses": [{"name": "debug", "containerID": "containerd://gone"}]}
    assert plan(view(pod(ephemeralContainers=[container("debug")], status=status), record())).actions == ()


RULED = container(restartPolicy="Never", restartPolicyRules=[
    {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
])  # fmt: skip


@pytest.mark.parametrize(("code", "again"), [(42, True), (1, False), (0, False)])
def test_a_containers_own_rules_decide_on_its_restart(code: int, again: bool) -> None:
    ended = view(pod(RULED, restartPolicy="Never"), exited(code=code))
    assert (Start("main", 1) in plan(ended).actions) == again
    phase = "Running" if again else "Failed" if code else "Succeeded"
    assert pod_status(ended, ("10.0.0.1",))["phase"] == phase


def test_a_container_that_must_not_restart_stays_ended_in_a_pod_that_always_does() -> None:
    mixed = pod(container(restartPolicy="Never"), container("other"))
    assert plan(view(mixed, exited(code=1), record("other"))).actions == ()
    assert Start("other", 1) in plan(view(mixed, exited(code=1), exited("other"))).actions
