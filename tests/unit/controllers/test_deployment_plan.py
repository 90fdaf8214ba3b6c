"""What a Deployment does next, and what its status says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.deployment.plan import plan
from skerry.engine.controllers.deployment.status import Observed, deployment_status
from skerry.engine.controllers.deployment.template import find_current, template_hash
from skerry.kube.objects import Obj, annotations_of, name_of

from .builders import NOW, deployment, replica_set

REVISION, HISTORY = "deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history"
DESIRED, MAX = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"


def noted(revision: int, wanted: int, surge: int = 1) -> dict[str, str]:
    return {REVISION: str(revision), DESIRED: str(wanted), MAX: str(wanted + surge)}


def test_the_first_replica_set() -> None:
    decided = plan(deployment(3, annotations={"note": "hello", REVISION: "0"}), [])
    made = decided.create
    assert made is not None
    assert made["spec"]["replicas"] == 3
    assert annotations_of(made) == {"note": "hello", **noted(1, 3)}
    hashed = made["metadata"]["labels"]["pod-template-hash"]
    assert name_of(made) == f"web-{hashed}"
    assert made["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": hashed}
    assert made["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] == hashed
    assert decided.revision == "1"
    assert find_current(deployment(3), [made]) is made


def test_a_settled_deployment_wants_nothing() -> None:
    current = replica_set("new", 3, annotations=noted(2, 3))
    decided = plan(
        deployment(3, annotations={REVISION: "2"}), [current, replica_set("old", 0, annotations=noted(1, 3))]
    )
    assert (decided.create, decided.patches, decided.revision, decided.delete) == (None, {}, "", [])


def test_undo_reuses_the_old_one_under_a_new_revision() -> None:
    old, bad = replica_set("new", 0, annotations=noted(1, 3)), replica_set("bad", 3, annotations=noted(2, 3))
    decided = plan(deployment(3, annotations={REVISION: "2"}), [old, bad])
    assert decided.current is old
    assert decided.revision == "3"
    assert decided.patches["new"]["metadata"]["annotations"] == {REVISION: "3", HISTORY: "1"}
    assert decided.patches["new"]["spec"] == {"replicas": 1}


def test_min_ready_seconds_and_annotations_reach_the_current_one() -> None:
    wanted = deployment(3, annotations={REVISION: "1", "note": "x"}, minReadySeconds=5)
    decided = plan(wanted, [replica_set("new", 3, annotations=noted(1, 3))])
    assert decided.patches == {"new": {"metadata": {"annotations": {"note": "x"}}, "spec": {"minReadySeconds": 5}}}


def test_recreate_in_three_acts() -> None:
    wanted = deployment(2, strategy={"type": "Recreate"})
    old = replica_set("old", 2, annotations=noted(1, 2, 0))
    assert plan(wanted, [old]).patches["old"]["spec"] == {"replicas": 0}
    ending = replica_set("old", 0, terminating=1)
    assert plan(wanted, [ending]).create is None
    behind = replica_set("old", 0)
    behind["metadata"]["generation"] = 2
    assert plan(wanted, [behind]).create is None
    made = plan(wanted, [replica_set("old", 0)]).create
    assert made is not None
    assert made["spec"]["replicas"] == 2


def test_paused_scales_and_does_not_roll() -> None:
    old = replica_set("old", 2, annotations=noted(1, 2))
    decided = plan(deployment(5, paused=True), [old])
    assert decided.create is None
    assert decided.patches["old"]["spec"] == {"replicas": 5}
    assert not decided.rolling_out


def test_history_is_cut_oldest_first_and_only_when_complete() -> None:
    olds = [replica_set(f"old{n}", 0, annotations=noted(n, 1)) for n in (3, 1, 2)]
    current = replica_set("new", 1, annotations=noted(4, 1))
    done = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}
    fields: dict[str, Any] = {"revisionHistoryLimit": 1, "annotations": {REVISION: "4"}}
    decided = plan(deployment(1, status=done, **fields), [*olds, current])
    assert [name_of(one) for one in decided.delete] == ["old1", "old2"]
    fields["annotations"] = {REVISION: "4"}
    assert plan(deployment(1, status={**done, "replicas": 2}, **fields), [*olds, current]).delete == []


def test_another_hash_after_a_collision() -> None:
    names = {template_hash(deployment(1, status={"collisionCount": count} if count else {})) for count in range(4)}
    assert len(names) == 4


@given(st.text(), st.text())
def test_hashes_tell_templates_apart(first: str, second: str) -> None:
    same = template_hash(deployment(1, image=first)) == template_hash(deployment(1, image=second))
    assert same == (first == second)


def status_of(wanted: Obj, observed: Observed, seconds: float = 0) -> Obj:
    return deployment_status(wanted, observed, NOW + timedelta(seconds=seconds))


def reasons(status: Obj) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def test_the_conditions_of_a_rollout_from_creation_to_success() -> None:
    wanted = deployment(2)
    fresh = {**replica_set("new", 2), "status": {}}
    status = status_of(wanted, Observed(fresh, [], created=True))
    assert status["unavailableReplicas"] == 2
    assert reasons(status) == {
        "Available": ("False", "MinimumReplicasUnavailable"),
        "Progressing": ("True", "NewReplicaSetCreated"),
    }
    started = replica_set("new", 2, available=1)
    status = status_of({**wanted, "status": status}, Observed(started, []), 5)
    assert reasons(status)["Progressing"] == ("True", "ReplicaSetUpdated")
    before = status["conditions"]
    status = status_of({**wanted, "status": status}, Observed(started, []), 9)
    assert status["conditions"] == before
    status = status_of({**wanted, "status": status}, Observed(replica_set("new", 2), []), 10)
    assert reasons(status) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    progressing = next(one for one in status["conditions"] if one["type"] == "Progressing")
    assert progressing["message"] == 'ReplicaSet "new" has successfully progressed.'
    assert progressing["lastTransitionTime"] == "2026-05-01T12:00:00Z"
    assert progressing["lastUpdateTime"] == "2026-05-01T12:00:10Z"


def test_the_deadline_counts_from_the_last_progress() -> None:
    wanted = deployment(2)
    stuck = Observed(replica_set("new", 2, available=1), [])
    status = status_of(wanted, Observed(stuck.current, [], created=True))
    status = status_of({**wanted, "status": status}, stuck, 1)
    assert reasons(status_of({**wanted, "status": status}, stuck, 590))["Progressing"][0] == "True"
    late = status_of({**wanted, "status": status}, stuck, 602)
    assert reasons(late)["Progressing"] == ("False", "ProgressDeadlineExceeded")
    recovered = status_of({**wanted, "status": late}, Observed(replica_set("new", 2), []), 700)
    assert reasons(recovered)["Progressing"] == ("True", "NewReplicaSetAvailable")


def test_no_deadline_no_progressing() -> None:
    status = status_of(deployment(1, progressDeadlineSeconds=2**31 - 1), Observed(replica_set("new", 1), []))
    assert "Progressing" not in reasons(status)


def test_pausing_and_resuming_is_shown() -> None:
    paused = status_of(deployment(1, paused=True), Observed(replica_set("new", 1), [], rolling_out=False))
    assert reasons(paused)["Progressing"] == ("Unknown", "DeploymentPaused")
    resumed = status_of(deployment(1, status=paused), Observed(replica_set("new", 1), [], rolling_out=False))
    assert reasons(resumed)["Progressing"] == ("Unknown", "DeploymentResumed")


def test_a_replica_sets_failure_is_the_deployments() -> None:
    failing = replica_set("new", 1, available=0)
    failing["status"]["conditions"] = [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    ]
    status = status_of(deployment(1), Observed(failing, []))
    assert reasons(status)["ReplicaFailure"] == ("True", "FailedCreate")
    healed = status_of(deployment(1, status=status), Observed(replica_set("new", 1), []))
    assert "ReplicaFailure" not in reasons(healed)
