"""What a StatefulSet does next: cases, then laws that hold on any way through a rollout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.engine.controllers.pods import is_ready
from skerry.engine.controllers.statefulset.identity import (
    build_pod,
    corrected,
    is_right,
    members_of,
    ordinal_of,
    owner_and_ordinal,
    revision_of,
)
from skerry.engine.controllers.statefulset.plan import Plan, Situation, plan
from skerry.engine.controllers.statefulset.status import Revisions, seconds_until_next_available, stateful_set_status
from skerry.kube.objects import Obj, is_deleting, labels_of, name_of

from .builders import NOW, ago, pod
from .sets import member, revision, stateful_set

OLD, NEW = revision(stateful_set(image="old")), revision(stateful_set(image="new"), 2)
CLAIMS = {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}


def decide(
    owner: Obj, pods: Sequence[Obj], current: Obj = OLD, update: Obj = OLD, claims: Mapping[str, Obj] | None = None
) -> Plan:
    return plan(Situation(owner, current, update, pods, (claims or {}).get, NOW))


def summary(decided: Plan) -> dict[str, list[str]]:
    kinds = {"create": decided.create, "delete": decided.delete, "correct": decided.correct, "provide": decided.provide}
    return {kind: [name_of(one) for one in found] for kind, found in kinds.items() if found}


def everyone(count: int, of: Obj = OLD, **fields: Any) -> list[Obj]:
    return [member(ordinal, of, **fields) for ordinal in range(count)]


PARALLEL = {"podManagementPolicy": "Parallel"}


@pytest.mark.parametrize(
    ("owner", "pods", "expected"),
    [
        pytest.param(stateful_set(3), [], {"create": ["web-0"]}, id="the first comes first"),
        pytest.param(stateful_set(3), everyone(1), {"create": ["web-1"]}, id="then the next"),
        pytest.param(stateful_set(3), everyone(1, ready=False), {}, id="not before the one before is ready"),
        pytest.param(stateful_set(3), everyone(1, deleting=True), {}, id="nor while it is leaving"),
        pytest.param(stateful_set(3, minReadySeconds=90), everyone(1), {}, id="nor before it is available"),
        pytest.param(stateful_set(3, minReadySeconds=30), everyone(1), {"create": ["web-1"]}, id="available"),
        pytest.param(
            stateful_set(3), [member(0, OLD), member(2, OLD, ready=False)], {"create": ["web-1"]}, id="a gap is filled"
        ),
        pytest.param(stateful_set(3), [member(0, OLD, phase="Failed")], {"delete": ["web-0"]}, id="failed"),
        pytest.param(stateful_set(3), [member(0, OLD, phase="Succeeded")], {"delete": ["web-0"]}, id="succeeded"),
        pytest.param(stateful_set(3), [member(0, OLD, phase="Failed", deleting=True)], {}, id="and only once"),
        pytest.param(stateful_set(1), everyone(3), {"delete": ["web-2"]}, id="down from the top"),
        pytest.param(stateful_set(0), everyone(1), {"delete": ["web-0"]}, id="to nothing"),
        pytest.param(
            stateful_set(1), [*everyone(2), member(2, OLD, deleting=True)], {}, id="one at a time on the way down"
        ),
        pytest.param(
            stateful_set(1), [member(0, OLD, ready=False), *everyone(3)[1:]], {}, id="a broken one below stops it"
        ),
        pytest.param(
            stateful_set(1),
            [*everyone(2), member(2, OLD, ready=False)],
            {"delete": ["web-2"]},
            id="the broken one goes",
        ),
        pytest.param(
            stateful_set(1),
            [member(0, OLD), member(1, OLD, ready=False), member(2, OLD)],
            {"delete": ["web-2"]},
            id="a healthy one above it, too",
        ),
        pytest.param(
            stateful_set(1),
            [member(0, OLD), member(1, OLD, ready=False), member(2, OLD, ready=False)],
            {},
            id="an unhealthy one above it waits",
        ),
        pytest.param(
            stateful_set(3, **PARALLEL), [], {"create": ["web-0", "web-1", "web-2"]}, id="parallel: all at once"
        ),
        pytest.param(
            stateful_set(3, **PARALLEL),
            [member(0, OLD, ready=False)],
            {"create": ["web-1", "web-2"]},
            id="parallel: ready or not",
        ),
        pytest.param(
            stateful_set(1, **PARALLEL), everyone(3, ready=False), {"delete": ["web-2", "web-1"]}, id="parallel: down"
        ),
        pytest.param(
            stateful_set(2, ordinals={"start": 5}), [], {"create": ["web-5"]}, id="ordinals may start elsewhere"
        ),
        pytest.param(
            stateful_set(2, ordinals={"start": 1}),
            everyone(3),
            {"delete": ["web-0"]},
            id="what lies before the start goes",
        ),
        pytest.param(stateful_set(1), [pod("web-x"), member(0, OLD)], {}, id="a pod without ordinal is nobody's"),
    ],
)
def test_steps(owner: Obj, pods: list[Obj], expected: dict[str, list[str]]) -> None:
    assert summary(decide(owner, pods)) == expected


def rolling(partition: int) -> Obj:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}}


@pytest.mark.parametrize(
    ("owner", "pods", "expected"),
    [
        pytest.param(stateful_set(3), everyone(3), {"delete": ["web-2"]}, id="from the top"),
        pytest.param(stateful_set(3), [*everyone(2), member(2, NEW)], {"delete": ["web-1"]}, id="then the next"),
        pytest.param(stateful_set(3), [*everyone(2), member(2, NEW, ready=False)], {}, id="not before it is ready"),
        pytest.param(stateful_set(3), [*everyone(2), member(2, OLD, deleting=True)], {}, id="nor while one leaves"),
        pytest.param(stateful_set(3, **rolling(2)), everyone(3), {"delete": ["web-2"]}, id="down to the partition"),
        pytest.param(stateful_set(3, **rolling(2)), [*everyone(2), member(2, NEW)], {}, id="and no further"),
        pytest.param(stateful_set(3, **rolling(9)), everyone(3), {}, id="a partition beyond all"),
        pytest.param(
            stateful_set(2, ordinals={"start": 5}, **rolling(1)),
            [member(5, OLD), member(6, OLD)],
            {"delete": ["web-6"]},
            id="the partition counts from the start",
        ),
        pytest.param(stateful_set(3, updateStrategy={"type": "OnDelete"}), everyone(3), {}, id="on delete"),
        pytest.param(
            stateful_set(3, **PARALLEL), everyone(3), {"delete": ["web-2"]}, id="parallel sets update one by one"
        ),
        pytest.param(
            stateful_set(3, **PARALLEL),
            [*everyone(2), member(2, OLD, ready=False)],
            {"delete": ["web-2"]},
            id="a broken one of the old revision is replaced",
        ),
        pytest.param(stateful_set(2), everyone(3), {"delete": ["web-2"]}, id="scaling comes before updating"),
    ],
)
def test_updates(owner: Obj, pods: list[Obj], expected: dict[str, list[str]]) -> None:
    assert summary(decide(owner, pods, OLD, NEW)) == expected


def test_a_pod_that_keeps_failing_waits_longer_each_time() -> None:
    failed = [member(0, OLD), member(1, OLD, phase="Failed")]
    waiting = plan(Situation(stateful_set(3), OLD, OLD, failed, {}.get, NOW, lambda ordinal: 4.0 * ordinal))
    assert (summary(waiting), waiting.wait) == ({}, [4.0])


def test_nothing_for_a_set_that_is_going() -> None:
    owner = stateful_set(3)
    owner["metadata"]["deletionTimestamp"] = ago(0)
    assert decide(owner, []) == Plan()


@pytest.mark.parametrize(("ordinal", "expected"), [(1, OLD), (2, NEW), (3, NEW)])
def test_a_pod_below_the_partition_comes_back_as_it_was(ordinal: int, expected: Obj) -> None:
    pods = [member(other, OLD if other < 2 else NEW) for other in range(4) if other != ordinal]
    (made,) = decide(stateful_set(4, image="new", **rolling(2)), pods, OLD, NEW).create
    assert revision_of(made) == name_of(expected)
    image = expected["data"]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert made["spec"]["containers"][0]["image"] == image


def test_on_delete_brings_the_new_template() -> None:
    (made,) = decide(stateful_set(1, image="new", updateStrategy={"type": "OnDelete"}), [], OLD, NEW).create
    assert revision_of(made) == name_of(NEW)


def test_claims_come_before_their_pod_and_only_when_missing() -> None:
    owner = stateful_set(1, **CLAIMS)
    assert summary(decide(owner, [])) == {"create": ["web-0"], "provide": ["data-web-0"]}
    claim = {"metadata": {"name": "data-web-0", "namespace": "ns"}}
    assert summary(decide(owner, [], claims={"data-web-0": claim})) == {"create": ["web-0"]}
    waiting = build_pod(owner, OLD, 0) | {"status": {"phase": "Pending"}}
    assert summary(decide(owner, [waiting])) == {"provide": ["data-web-0"]}


@pytest.mark.parametrize(
    "metadata",
    [
        {"deletionTimestamp": ago(1)},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": "gone"}]},
    ],
)
def test_a_claim_that_is_about_to_go_is_waited_for(metadata: Obj) -> None:
    claim = {"metadata": {"name": "data-web-0", "namespace": "ns", **metadata}}
    assert decide(stateful_set(1, **CLAIMS), [], claims={"data-web-0": claim}) == Plan()


def test_identity() -> None:
    owner = stateful_set(1, **CLAIMS)
    made = build_pod(owner, OLD, 7)
    assert (name_of(made), made["spec"]["hostname"], made["spec"]["subdomain"]) == ("web-7", "web-7", "web")
    assert labels_of(made)["statefulset.kubernetes.io/pod-name"] == "web-7"
    assert labels_of(made)["apps.kubernetes.io/pod-index"] == "7"
    assert made["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-7"}}]
    assert is_right(owner, made)
    bare = {**made, "metadata": {**made["metadata"], "labels": {"app": "web"}}}
    assert not is_right(owner, bare)
    assert is_right(owner, corrected(owner, bare))
    wrong = {**made, "spec": {**made["spec"], "volumes": [{"name": "data", "emptyDir": {}}, {"name": "x"}]}}
    assert not is_right(owner, wrong)
    assert [volume["name"] for volume in corrected(owner, wrong)["spec"]["volumes"]] == ["data", "x"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web-0", ("web", 0)),
        ("my-web-12", ("my-web", 12)),
        ("web", ("", -1)),
        ("web-01", ("", -1)),
        ("web-x", ("", -1)),
        ("web-9999999999", ("", -1)),
    ],
)
def test_names(name: str, expected: tuple[str, int]) -> None:
    assert owner_and_ordinal(name) == expected


def test_members_are_selected_and_named_so() -> None:
    is_member = members_of(stateful_set())
    assert is_member(member(3, OLD))
    assert not is_member(pod("web-3", labels={"app": "other"}))
    assert not is_member(pod("other-3", labels={"app": "web"}))
    assert not is_member(pod("web-extra", labels={"app": "web"}))


def status_of(owner: Obj, pods: list[Obj], current: Obj = OLD, update: Obj = OLD) -> Obj:
    return stateful_set_status(owner, pods, Revisions(name_of(current), name_of(update), 0), NOW)


def test_status_in_the_middle_of_a_rollout() -> None:
    pods = [member(0, OLD), member(1, OLD, deleting=True), member(2, NEW, ready=False), member(3, NEW, ready_for=5)]
    assert status_of(stateful_set(4, minReadySeconds=10), pods, OLD, NEW) == {
        "observedGeneration": 1,
        "replicas": 4,
        "readyReplicas": 3,
        "currentReplicas": 1,
        "updatedReplicas": 2,
        "availableReplicas": 2,
        "currentRevision": name_of(OLD),
        "updateRevision": name_of(NEW),
        "collisionCount": 0,
    }
    assert seconds_until_next_available(stateful_set(4, minReadySeconds=10), pods, NOW) == 5


def test_a_rollout_is_complete_when_all_wanted_pods_are_new_and_ready() -> None:
    pods = everyone(3, NEW)
    done = status_of(stateful_set(3), pods, OLD, NEW)
    assert (done["currentRevision"], done["currentReplicas"]) == (name_of(NEW), 3)
    assert status_of(stateful_set(4), pods, OLD, NEW)["currentRevision"] == name_of(OLD)
    on_delete = stateful_set(3, updateStrategy={"type": "OnDelete"})
    assert status_of(on_delete, pods, OLD, NEW)["currentRevision"] == name_of(OLD)


def test_an_empty_set_and_conditions_of_others() -> None:
    conditions = [{"type": "Mine", "status": "True"}]
    shown = status_of(stateful_set(0, status={"conditions": conditions}), [])
    assert (shown["replicas"], shown["availableReplicas"], shown["conditions"]) == (0, 0, conditions)
    assert "readyReplicas" not in shown


class Cluster:
    """Pods that obey plans; chance says when one gets ready and when one is gone."""

    def __init__(self, owner: Obj, count: int) -> None:
        self.owner = owner
        self.pods = {f"web-{ordinal}": member(ordinal, OLD) for ordinal in range(count)}

    def decide(self) -> Plan:
        return decide(self.owner, list(self.pods.values()), OLD, NEW)

    def obey(self, decided: Plan) -> None:
        for made in decided.create:
            fresh = member(ordinal_of(made), OLD, ready=False)
            fresh["metadata"]["labels"] = labels_of(made)
            assert name_of(made) not in self.pods, "a name is never used twice"
            self.pods[name_of(made)] = fresh
        for gone in decided.delete:
            found = self.pods[name_of(gone)]
            self.pods[name_of(gone)] = {**found, "metadata": {**found["metadata"], "deletionTimestamp": ago(0)}}

    def go_on(self, ordinal: int) -> None:
        """What the node does: a leaving pod is gone, a starting one gets ready."""
        found = self.pods.get(f"web-{ordinal}")
        if found is None:
            return
        if is_deleting(found):
            del self.pods[name_of(found)]
        else:
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": ago(60)}
            self.pods[name_of(found)] = {**found, "status": {"phase": "Running", "conditions": [ready]}}

    def down(self) -> int:
        wanted = (self.pods.get(f"web-{ordinal}") for ordinal in range(int(self.owner["spec"]["replicas"])))
        return sum(one is None or is_deleting(one) or not is_ready(one) for one in wanted)


@settings(max_examples=150, deadline=None)
@given(
    replicas=st.integers(1, 6),
    partition=st.integers(0, 7),
    policy=st.sampled_from(["OrderedReady", "Parallel"]),
    happenings=st.lists(st.integers(0, 5), max_size=60),
)
def test_an_update_never_has_two_pods_down_and_spares_the_partition(
    replicas: int, partition: int, policy: str, happenings: list[int]
) -> None:
    cluster = Cluster(stateful_set(replicas, image="new", podManagementPolicy=policy, **rolling(partition)), replicas)
    for ordinal in [*happenings, *list(range(replicas)) * 8 * replicas]:
        decided = cluster.decide()
        assert all(ordinal_of(gone) >= partition for gone in decided.delete)
        cluster.obey(decided)
        assert cluster.down() <= 1
        cluster.go_on(ordinal)
    expected = [name_of(NEW if ordinal >= partition else OLD) for ordinal in range(replicas)]
    assert [revision_of(cluster.pods[f"web-{ordinal}"]) for ordinal in range(replicas)] == expected


@settings(max_examples=150, deadline=None)
@given(before=st.integers(0, 6), replicas=st.integers(0, 6), happenings=st.lists(st.integers(0, 6), max_size=60))
def test_in_order_one_thing_happens_at_a_time(before: int, replicas: int, happenings: list[int]) -> None:
    cluster = Cluster(stateful_set(replicas, **rolling(9)), before)
    for ordinal in [*happenings, *list(range(7)) * 24]:
        decided = cluster.decide()
        assert len(decided.create) + len(decided.delete) <= 1
        for made in decided.create:
            lower = [cluster.pods[f"web-{other}"] for other in range(ordinal_of(made))]
            assert all(is_ready(one) and not is_deleting(one) for one in lower)
        for gone in decided.delete:
            assert ordinal_of(gone) == max(ordinal_of(one) for one in cluster.pods.values())
        cluster.obey(decided)
        cluster.go_on(ordinal)
    assert sorted(cluster.pods) == [f"web-{ordinal}" for ordinal in range(replicas)]
