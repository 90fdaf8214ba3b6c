"""Whether something fits, and the words for it when it does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import amounts, pieces
from skerry.platform.projects.quota.judging import Excess, excess, refusal, shares, used_by
from skerry.platform.projects.quota.resources import not_counted

NUMBERS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 9).map(pieces))


@given(asked=NUMBERS, used=NUMBERS, hard=NUMBERS)
def test_it_fits_exactly_when_no_limit_is_passed_by_what_is_asked(asked: dict, used: dict, hard: dict) -> None:
    over = excess(asked, used, hard)
    expected = {
        name
        for name, limit in hard.items()
        if name in asked and asked[name].value and (used.get(name, pieces(0)).value + asked[name].value > limit.value)
    }
    assert {one.name for one in over} == expected
    for one in over:
        assert one.over.value == one.used.value + one.asked.value - one.hard.value > 0


def _of(namespace: str, kind: str, owner: str, user: str = "") -> Obj:
    labels = {"skerry.dev/user": user} if user else {}
    reference = {"kind": kind, "name": owner, "controller": True}
    return {"metadata": {"namespace": namespace, "name": "x", "labels": labels, "ownerReferences": [reference]}}


ENTRIES = [
    (_of("lidar", "ReplicaSet", "web-5d"), amounts({"requests.memory": "1Gi"})),
    (_of("lidar", "Job", "train", "ben@uni.example"), amounts({"requests.memory": "2Gi"})),
    (_of("lidar-ci", "Job", "tests", "ben@uni.example"), amounts({"requests.memory": "512Mi"})),
    (_of("lidar-ci", "Job", "done"), amounts({"requests.memory": "0"})),
]


def test_a_refusal_says_what_is_over_by_how_much_who_uses_the_rest_and_how_to_ask() -> None:
    over = Excess("requests.memory", *amounts({"asked": "1Gi", "used": "3584Mi", "hard": "4Gi"}).values())
    users = {over.name: used_by(over.name, ENTRIES)}
    assert refusal("lidar", [over], users, amounts({"requests.memory": "512Mi"})) == (
        "project lidar has not enough left: requests.memory: asked for 1Gi, used 3584Mi of 4Gi, over by 512Mi. "
        "requests.memory is used by namespaces lidar 3Gi, lidar-ci 512Mi; "
        "most by ben@uni.example 2560Mi, ReplicaSet web-5d 1Gi. "
        "Of requests.memory, 512Mi was admitted a moment ago and is not there yet. "
        "To ask for more: skerry requests create quota lidar --set requests.memory=4608Mi --reason '...'"
    )


def test_who_uses_most_comes_first_and_only_few_are_named() -> None:
    entries = [(_of(f"space-{number}", "Job", "j"), {"pods": pieces(number)}) for number in range(6)]
    assert [(one.whose, str(one.amount)) for one in shares("pods", entries, by="namespace")] == [
        ("space-5", "5"),
        ("space-4", "4"),
        ("space-3", "3"),
    ]


def test_names_that_are_not_held_across_namespaces_are_known() -> None:
    held = ["pods", "requests.nvidia.com/gpu", "limits.cpu", "services.loadbalancers", "count/jobs.batch", "cpu"]
    held += ["fast.storageclass.storage.k8s.io/requests.storage", "requests.hugepages-2Mi"]
    assert not_counted([*held, "secrets", "count/configmaps", "count/widgets.example.com", "nonsense"]) == [
        "count/configmaps",
        "count/widgets.example.com",
        "nonsense",
        "secrets",
    ]
