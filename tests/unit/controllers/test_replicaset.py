"""Which pods go first, and what the status of a ReplicaSet says."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.controllers.pod_template import pod_from_template
from skerry.engine.controllers.replicaset.ranking import choose_victims
from skerry.engine.controllers.replicaset.status import Failure, replica_set_status, seconds_until_next_available
from skerry.kube.objects import name_of
from skerry.kube.resources import REPLICA_SETS

from .builders import NOW, pod, replica_set

COST = "controller.kubernetes.io/pod-deletion-cost"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"node": ""}, {}),
        ({"phase": "Pending"}, {"phase": "Running", "ready": False}),
        ({"phase": "Unknown"}, {"phase": "Running"}),
        ({"ready": False}, {"annotations": {COST: "-5"}}),
        ({"annotations": {COST: "-5"}}, {"ready_for": 1}),
        ({"annotations": {COST: "not a number"}, "ready_for": 1}, {"annotations": {COST: "1"}}),
        ({"ready_for": 5}, {"ready_for": 500}),
        ({"restarts": 3}, {"restarts": 1}),
        ({"age": 10}, {"age": 1000}),
    ],
)
def test_who_goes_first(first: dict[str, Any], second: dict[str, Any]) -> None:
    goes, stays = pod("goes", **first), pod("stays", **second)
    for pods in ([goes, stays], [stays, goes]):
        assert [name_of(one) for one in choose_victims(pods, 1, {}, NOW)] == ["goes"]


def test_the_node_with_more_siblings_gives_first() -> None:
    crowded, alone = pod("a", node="crowded", ready_for=900), pod("b", node="alone", ready_for=1)
    assert choose_victims([alone, crowded], 1, {"crowded": 2, "alone": 1}, NOW) == [crowded]


def test_status_counts() -> None:
    owner = replica_set("web", 4, minReadySeconds=30)
    labels = owner["spec"]["template"]["metadata"]["labels"]
    pods = [
        pod("available", labels=labels, ready_for=31),
        pod("ready", labels=labels, ready_for=10),
        pod("starting", labels={"app": "web"}, ready=False),
        pod("leaving", labels=labels, deleting=True),
        pod("done", labels=labels, phase="Failed"),
    ]
    assert replica_set_status(owner, pods, None, NOW) == {
        "replicas": 3,
        "terminatingReplicas": 1,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "observedGeneration": 1,
    }
    assert seconds_until_next_available(owner, pods, NOW) == 20


def test_a_failure_is_a_condition_until_it_is_over() -> None:
    owner = replica_set("web", 1)
    status = replica_set_status(owner, [], Failure("FailedCreate", "quota"), NOW)
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"], condition["message"]) == ("ReplicaFailure", "True", "quota")
    again = replica_set_status({**owner, "status": status}, [], Failure("FailedCreate", "other"), NOW)
    assert again["conditions"] == [condition]
    assert "conditions" not in replica_set_status({**owner, "status": status}, [], None, NOW)


def test_the_pod_made_from_the_template() -> None:
    owner = replica_set("web", 1)
    made = pod_from_template(owner, REPLICA_SETS)
    assert made["metadata"]["generateName"] == "web-"
    assert made["metadata"]["labels"] == owner["spec"]["template"]["metadata"]["labels"]
    reference = made["metadata"]["ownerReferences"][0]
    assert (reference["kind"], reference["controller"], reference["blockOwnerDeletion"]) == ("ReplicaSet", True, True)
