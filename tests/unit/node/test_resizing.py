"""In-place resize, decided purely: what differs, what needs a restart, what fits."""

from __future__ import annotations

from decimal import Decimal

from skerry.engine.node.pods.plan import Kill, Resize, plan
from skerry.engine.node.pods.resizing import frees_room, pending
from skerry.engine.node.status.pod_status import pod_status
from skerry.kube.objects import Obj
from tests.unit.node.views import container, pod, record, view

NODE = {"cpu": Decimal(2), "memory": Decimal(2**30)}


def wants(cpu: str, memory: str = "64Mi", **more: object) -> Obj:
    return container(resources={"requests": {"cpu": cpu, "memory": memory}}, **more)


def in_force(cpu: str, memory: str = "64Mi") -> dict[str, Obj]:
    return {"main-0": {"requests": {"cpu": cpu, "memory": memory}}}


def test_only_what_differs_is_changed() -> None:
    assert plan(view(pod(wants("1")), record(), applied=in_force("1000m"))).actions == ()
    assert plan(view(pod(wants("1")), record(), applied=in_force("2"))).actions == (Resize(record()),)


def test_a_resize_policy_may_ask_for_a_restart() -> None:
    asking = wants("1", "128Mi", resizePolicy=[{"resourceName": "memory", "restartPolicy": "RestartContainer"}])
    (kill,) = plan(view(pod(asking), record(), applied=in_force("1"))).actions
    assert isinstance(kill, Kill)
    assert kill.message == "Container main resize requires restart"
    only_cpu = {"main-0": {"requests": {"cpu": "2", "memory": "128Mi"}}}
    assert plan(view(pod(asking), record(), applied=only_cpu)).actions == (Resize(record()),)


def test_what_does_not_fit_is_left_and_told() -> None:
    refused = view(pod(wants("9")), record(), applied=in_force("1"), resize_pending=("Infeasible", "too much"))
    assert plan(refused).actions == ()
    status = pod_status(refused, ("10.0.0.1",))
    told = [each for each in status["conditions"] if each["type"] == "PodResizePending"]
    assert [(each["status"], each["reason"], each["message"]) for each in told] == [("True", "Infeasible", "too much")]
    assert status["containerStatuses"][0]["resources"] == in_force("1")["main-0"]


def other(cpu: str, phase: str = "Running") -> Obj:
    made = pod(wants(cpu), status={"phase": phase})
    return {**made, "metadata": {**made["metadata"], "uid": "other"}}


def test_fitting_counts_the_other_pods_that_live() -> None:
    assert pending(pod(wants("3")), [], NODE) == (
        "Infeasible",
        "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
    )
    assert pending(pod(wants("1500m")), [other("1")], NODE) == ("Deferred", "Node didn't have enough resource: cpu")
    assert pending(pod(wants("1500m")), [other("1", "Succeeded")], NODE) is None
    assert pending(pod(wants("1500m")), [pod(wants("1"))], NODE) is None  # its own former self


def test_room_is_freed_by_who_goes_ends_or_shrinks() -> None:
    assert frees_room(other("1"), None)
    assert frees_room(other("1"), other("1", "Succeeded"))
    assert frees_room(other("1"), other("500m"))
    assert not frees_room(other("1"), other("1"))
    assert not frees_room(other("1", "Failed"), other("1", "Failed"))
