"""Back-off, probe verdicts, deadlines: everything that counts or waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from skerry.engine.node.backoff import BackOff, go_duration
from skerry.engine.node.pods.ending import Seen, termination
from skerry.engine.node.pods.state import Termination
from skerry.engine.node.probes.machine import ProbeMachine, ProbeSpec
from skerry.kube.objects import Obj
from tests.unit.node.views import NOW, pod

STEADY = datetime(1970, 1, 9, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_back_off_doubles_to_its_limit_and_is_forgotten() -> None:
    backoff, now, delays = BackOff(), NOW, []
    assert backoff.until("a", now) is None
    for _ in range(7):
        backoff.next("a", now)
        until = backoff.until("a", now)
        assert until is not None
        delays.append((until - now).total_seconds())
        now = until
    assert delays == [10, 20, 40, 80, 160, 300, 300]
    assert backoff.until("a", now + seconds(601)) is None
    backoff.next("a", now + seconds(601))
    assert backoff.delay("a") == seconds(10)
    backoff.forget("a")
    assert backoff.delay("a") == seconds(0)


@pytest.mark.parametrize(("delay", "text"), [(10, "10s"), (80, "1m20s"), (300, "5m0s"), (3661, "1h1m1s")])
def test_durations_read_as_go_prints_them(delay: int, text: str) -> None:
    assert go_duration(seconds(delay)) == text


def test_probe_needs_results_in_a_row() -> None:
    machine = ProbeMachine(ProbeSpec("readiness", {}, success_threshold=2, failure_threshold=3))
    results = [True, False, True, True, False, False, True, False, False, False]
    verdicts = []
    for result in results:
        machine.observe(result)
        verdicts.append(machine.verdict)
    assert verdicts == [False, False, False, True, True, True, True, True, True, False]


def test_probes_begin_as_kubernetes_has_it() -> None:
    kinds = {kind: ProbeMachine(ProbeSpec.of(kind, {})).verdict for kind in ("startup", "readiness", "liveness")}
    assert kinds == {"startup": None, "readiness": False, "liveness": True}
    spec = ProbeSpec.of("liveness", {"periodSeconds": 3, "failureThreshold": 1})
    assert (spec.period, spec.timeout, spec.failure_threshold) == (3, 1, 1)


def ending(
    of: Obj,
    removed: bool = False,
    before: Termination | None = None,
    now: datetime = NOW,
    begun: datetime | None = None,
) -> Termination | None:
    return termination(Seen(of, now, STEADY, begun, removed, before))


def deleted(grace: int, at: str = "2026-11-22T13:00:00Z") -> Obj:
    of = pod(terminationGracePeriodSeconds=30)
    of["metadata"] |= {"deletionTimestamp": at, "deletionGracePeriodSeconds": grace}
    return of


def test_pod_goes_on_without_reason() -> None:
    assert ending(pod()) is None


def test_deletion_gives_its_grace() -> None:
    assert ending(deleted(7)) == Termination(STEADY + seconds(7), deletion="2026-11-22T13:00:00Z")


def test_deletion_seen_late_has_only_the_rest() -> None:
    at = "2026-11-22T12:00:04Z"
    assert ending(deleted(30, at)) == Termination(STEADY + seconds(5), deletion=at)


def test_a_clock_that_is_set_moves_no_deadline() -> None:
    first = ending(deleted(30))
    for hours in (-10, 10):
        assert ending(deleted(30), before=first, now=NOW + timedelta(hours=hours)) == first


def test_a_deadline_only_comes_nearer() -> None:
    first = ending(deleted(30))
    later = ending(deleted(60, "2026-11-22T13:00:30Z"), before=first)
    assert later is not None
    assert first is not None
    assert later.deadline == first.deadline
    sooner = ending(deleted(5, "2026-11-22T12:00:05Z"), before=first)
    assert sooner is not None
    assert sooner.deadline == STEADY + seconds(5)


def test_forced_removal_ends_at_once() -> None:
    assert ending(deleted(30), removed=True) == Termination(STEADY)
    assert ending(pod(), removed=True) == Termination(STEADY)


def test_active_deadline() -> None:
    found = ending(pod(activeDeadlineSeconds=10), begun=STEADY - seconds(10))
    assert found is not None
    assert (found.failed, found.reason) == (True, "DeadlineExceeded")
    assert ending(pod(activeDeadlineSeconds=11), begun=STEADY - seconds(10)) is None
    assert ending(pod(activeDeadlineSeconds=10)) is None


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}, "SysctlForbidden"),
        ({"os": {"name": "windows"}}, "PodOSNotSupported"),
        ({"securityContext": {"supplementalGroupsPolicy": "Strict"}}, "SupplementalGroupsPolicyNotSupported"),
        ({"hostUsers": False}, "UnexpectedAdmissionError"),
        ({"resourceClaims": [{"name": "gpu"}]}, "UnexpectedAdmissionError"),
    ],
)
def test_unsupported_pods_are_refused_by_name(spec: Obj, reason: str) -> None:
    found = ending(pod(**spec))
    assert found is not None
    assert (found.failed, found.reason) == (True, reason)
