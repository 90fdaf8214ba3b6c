"""What pods, services, claims and the rest use, what scopes choose, what a status says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.resourcequota.status import matters, next_look, quota_status
from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import added, amount, amounts, listed, reduced
from skerry.kube.quota.pod_resources import pod_total
from skerry.kube.quota.scopes import Scope, scopes_of, within
from skerry.kube.quota.sums import Sums
from skerry.kube.quota.usage import counted_names, missing, resources_of, usage

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
GPU = "nvidia.com/gpu"


def container(name: str = "c", requests: Any = None, limits: Any = None, **more: Any) -> Obj:
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    return {"name": name, "resources": resources, **more}


def pod(*containers: Obj, phase: str = "Running", **spec: Any) -> Obj:
    return {
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"containers": list(containers) or [container()], **spec},
        "status": {"phase": phase},
    }


def sums_of(resource: str, objects: Iterable[Obj]) -> Sums:
    sums = Sums(resource)
    for number, obj in enumerate(objects):
        sums.put(str(number), obj, NOW)
    return sums


def shown(resource: str, obj: Obj) -> dict[str, str]:
    return {name: str(value) for name, value in usage(resource, obj, NOW).items()}


def test_a_pod_uses_requests_limits_and_devices() -> None:
    asks = container(requests={"cpu": "500m", "memory": "64Mi", GPU: "2", "hugepages-2Mi": "4Mi"}, limits={"cpu": "1"})
    assert shown("pods", pod(asks)) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "500m",
        "requests.cpu": "500m",
        "memory": "64Mi",
        "requests.memory": "64Mi",
        "hugepages-2Mi": "4Mi",
        "requests.hugepages-2Mi": "4Mi",
        f"requests.{GPU}": "2",
        "limits.cpu": "1",
    }


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_is_over_is_only_an_object(phase: str) -> None:
    assert shown("pods", pod(container(requests={"cpu": "1"}), phase=phase)) == {"count/pods": "1"}


def test_a_pod_on_a_lost_node_stops_counting_when_its_time_is_over() -> None:
    leaving = pod()
    leaving["metadata"] |= {"deletionTimestamp": "2026-01-01T11:59:50Z", "deletionGracePeriodSeconds": 30}
    assert "pods" in shown("pods", leaving)
    assert next_look({"pods": sums_of("pods", [leaving, pod()])}, NOW) == 21
    leaving["metadata"]["deletionGracePeriodSeconds"] = 5
    assert "pods" not in shown("pods", leaving)
    assert next_look({"pods": sums_of("pods", [leaving])}, NOW) is None


def test_sidecars_add_up_and_first_containers_do_not() -> None:
    spec = pod(
        container(requests={"cpu": "1"}),
        container("d", requests={"cpu": "1"}),
        initContainers=[
            container("side", requests={"cpu": "500m"}, restartPolicy="Always"),
            container("first", requests={"cpu": "3"}),
        ],
        overhead={"cpu": "100m", "memory": "1Mi"},
    )["spec"]
    assert listed(pod_total(spec, "requests")) == "cpu=3600m,memory=1Mi"
    assert listed(pod_total(spec, "requests", overhead=False)) == "cpu=3500m"
    assert pod_total(spec, "limits") == {}


def test_resources_of_the_whole_pod_replace_the_sum() -> None:
    spec = pod(container(requests={"cpu": "1", "memory": "1Gi"}), resources={"requests": {"cpu": "4"}})["spec"]
    assert listed(pod_total(spec, "requests")) == "cpu=4,memory=1Gi"


def test_services_count_what_they_take() -> None:
    ports = [{"port": 1}, {"port": 2, "nodePort": 30000}]
    kinds = {"ClusterIP": ("0", "0"), "NodePort": ("0", "2"), "LoadBalancer": ("1", "2")}
    for kind, (balancers, node_ports) in kinds.items():
        used = shown("services", {"spec": {"type": kind, "ports": ports}})
        assert (used["services.loadbalancers"], used["services.nodeports"]) == (balancers, node_ports)
    without = {"spec": {"type": "LoadBalancer", "ports": ports, "allocateLoadBalancerNodePorts": False}}
    assert shown("services", without)["services.nodeports"] == "1"


def test_claims_count_for_their_class_too() -> None:
    claim = {"metadata": {}, "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "5Gi"}}}}
    assert shown("persistentvolumeclaims", claim) == {
        "count/persistentvolumeclaims": "1",
        "persistentvolumeclaims": "1",
        "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "requests.storage": "5Gi",
        "fast.storageclass.storage.k8s.io/requests.storage": "5Gi",
    }
    for allocated, counted in (("9Gi", "9Gi"), ("1Gi", "5Gi")):
        growing = {**claim, "status": {"allocatedResources": {"storage": allocated}}}
        assert shown("persistentvolumeclaims", growing)["requests.storage"] == counted


def test_other_objects_are_counted() -> None:
    assert shown("deployments.apps", {}) == {"count/deployments.apps": "1"}
    assert shown("configmaps", {}) == {"count/configmaps": "1", "configmaps": "1"}


def test_which_names_are_counted_by_what() -> None:
    names = ("pods", "cpu", "limits.memory", f"requests.{GPU}", "count/jobs.batch", "services.nodeports")
    assert counted_names("pods", names) == ["pods", "cpu", "limits.memory", f"requests.{GPU}"]
    assert counted_names("services", names) == ["services.nodeports"]
    assert resources_of(names) == {"pods", "jobs.batch", "services"}
    assert resources_of(["requests.storage", "gold.storageclass.storage.k8s.io/requests.storage"]) == {
        "persistentvolumeclaims"
    }


AFFINITY = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["other"]}]}}


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [
        (Scope("Terminating"), pod(activeDeadlineSeconds=1), pod()),
        (Scope("NotTerminating"), pod(), pod(activeDeadlineSeconds=1)),
        (Scope("BestEffort"), pod(), pod(container(limits={"cpu": "1"}))),
        (Scope("NotBestEffort"), pod(container(requests={"memory": "1"})), pod(container(requests={GPU: "1"}))),
        (Scope("PriorityClass"), pod(priorityClassName="a"), pod()),
        (Scope("PriorityClass", "In", ("a",)), pod(priorityClassName="a"), pod(priorityClassName="b")),
        (Scope("PriorityClass", "NotIn", ("a",)), pod(), pod(priorityClassName="a")),
        (Scope("PriorityClass", "DoesNotExist"), pod(), pod(priorityClassName="a")),
        (Scope("CrossNamespacePodAffinity"), pod(affinity=AFFINITY), pod()),
    ],
)
def test_scopes_of_pods(scope: Scope, inside: Obj, outside: Obj) -> None:
    assert within([scope], "pods", inside)
    assert not within([scope], "pods", outside)
    assert not within([scope], "services", {})


def test_scope_of_claims() -> None:
    gold = Scope("VolumeAttributesClass", "In", ("gold",))
    assert within([gold], "persistentvolumeclaims", {"spec": {"volumeAttributesClassName": "gold"}})
    assert within([gold], "persistentvolumeclaims", {"status": {"currentVolumeAttributesClassName": "gold"}})
    assert not within([gold], "persistentvolumeclaims", {"spec": {"volumeAttributesClassName": "iron"}})


def test_scopes_of_a_quota() -> None:
    expression = {"scopeName": "PriorityClass", "operator": "In", "values": ["a"]}
    quota = {"spec": {"scopes": ["BestEffort"], "scopeSelector": {"matchExpressions": [expression]}}}
    assert scopes_of(quota) == (Scope("BestEffort"), Scope("PriorityClass", "In", ("a",)))


def test_containers_must_say_what_is_counted() -> None:
    silent = pod(container("a"), container("b", requests={"cpu": "1"}))
    assert missing(silent, ["cpu", "limits.memory", "pods"]) == "must specify cpu for: a; limits.memory for: a,b"
    assert missing(silent, ["requests.storage", "ephemeral-storage"]) == ""
    assert missing({**silent, "spec": {**silent["spec"], "resources": {"requests": {"cpu": "1"}}}}, ["cpu"]) == ""


def test_status_sums_up_what_is_within() -> None:
    hard = {"pods": "5", "requests.memory": "1Gi", "count/deployments.apps": "2", "services": "1"}
    objects: dict[str, list[Obj]] = {
        "pods": [pod(container(requests={"memory": "64Mi"})), pod(phase="Failed"), pod()],
        "deployments.apps": [{}, {}],
        "services": [],
    }
    sums = {resource: sums_of(resource, present) for resource, present in objects.items()}
    assert quota_status({"spec": {"hard": hard}}, sums, NOW) == {
        "hard": hard,
        "used": {"pods": "2", "requests.memory": "64Mi", "count/deployments.apps": "2", "services": "0"},
    }


def test_only_what_changes_usage_matters() -> None:
    assert not matters(pod(), {**pod(), "metadata": {"labels": {"a": "b"}}})
    assert matters(pod(), pod(phase="Failed"))
    assert matters(pod(), pod(activeDeadlineSeconds=3))


def test_sums_keep_the_first_spelling() -> None:
    total = added(amounts({"memory": "1Gi"}), amounts({"memory": "1000M"}))
    assert listed(total) == "memory=2073741824"
    assert str(amount("512Mi").plus(amount("512Mi"))) == "1Gi"
    assert str(amount("0").plus(amount("1Mi"))) == "1Mi"


@given(st.lists(st.integers(0, 10**6), max_size=20))
def test_adding_and_taking_away_leaves_nothing(values: list[int]) -> None:
    total: dict[str, Any] = {}
    for value in values:
        total = added(total, amounts({"cpu": f"{value}m"}))
    for value in values:
        total = reduced(total, amounts({"cpu": f"{value}m"}))
    assert all(not each.value for each in total.values())
