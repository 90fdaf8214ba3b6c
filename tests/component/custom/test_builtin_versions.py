"""Built-in kinds served at two versions: autoscaling/v1, events.k8s.io/v1."""

from __future__ import annotations

import pytest

from skerry.kube.client import Selection
from skerry.kube.errors import Invalid
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import EVENTS
from tests.support.api import RunningApi
from tests.support.kubectl import Kubectl

V1 = Resource("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
V2 = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
NEW_EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 60}},
}
PODS = {
    "type": "Pods",
    "pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "10"}},
}


def scaler(**spec: object) -> Obj:
    metadata = {"name": "web", "namespace": "default"}
    return {"metadata": metadata, "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}}


async def test_a_v1_autoscaler_is_stored_as_v2(api: RunningApi) -> None:
    made = await api.client.create(V1, scaler(targetCPUUtilizationPercentage=70))
    assert (made["apiVersion"], made["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 70)
    stored = await api.client.get(V2, "web", "default")
    target = {"type": "Utilization", "averageUtilization": 70}
    assert stored["spec"]["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    await api.client.patch(V1, "web", {"spec": {"maxReplicas": 6}}, "default")
    assert (await api.client.get(V2, "web", "default"))["spec"]["maxReplicas"] == 6


async def test_what_v1_has_no_field_for_survives_a_v1_client(api: RunningApi) -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 60}}
    made = await api.client.create(V2, scaler(metrics=[MEMORY, PODS], behavior=behavior))
    old = await api.client.get(V1, "web", "default")
    assert "metrics" not in old["spec"]
    assert "targetCPUUtilizationPercentage" not in old["spec"]
    again = await api.client.update(V1, old)
    assert again["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]
    stored = await api.client.get(V2, "web", "default")
    assert stored["spec"] == made["spec"]
    assert "annotations" not in stored["metadata"]


async def test_v1_is_held_to_the_rules_of_v2(api: RunningApi) -> None:
    with pytest.raises(Invalid, match=r"spec\.maxReplicas: Invalid value: 0"):
        await api.client.create(V1, scaler(maxReplicas=0))


def event(name: str = "e", **fields: object) -> Obj:
    about = {"kind": "Pod", "name": "web", "namespace": "default"}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "regarding": about,
        "reportingController": "example.com/test",
        "reportingInstance": "one",
        "action": "Testing",
        "reason": "Tested",
        "note": "all is well",
        "type": "Normal",
        **fields,
    }


async def test_new_events_are_core_events_by_other_names(api: RunningApi, kubectl: Kubectl) -> None:
    made = await api.client.create(NEW_EVENTS, event())
    assert made["note"] == "all is well"
    core = await api.client.get(EVENTS, "e", "default")
    assert (core["message"], core["involvedObject"]["name"]) == ("all is well", "web")
    assert core["reportingComponent"] == "example.com/test"
    found = await api.client.list(NEW_EVENTS, "default", Selection(field_selector="regarding.name=web"))
    assert [each["metadata"]["name"] for each in found.items] == ["e"]
    assert "all is well" in (await kubectl("get", "events.events.k8s.io")).out


async def test_core_events_show_as_new_ones_in_watches(api: RunningApi) -> None:
    revision = (await api.client.list(NEW_EVENTS)).resource_version
    core = {"metadata": {"name": "old", "namespace": "default"}, "message": "hello", "reason": "Tested", "count": 3}
    core["involvedObject"] = {"kind": "Pod", "name": "web", "namespace": "default"}
    async with api.client.watch(NEW_EVENTS, "default", resource_version=revision) as events:
        await api.client.create(EVENTS, core)
        seen = (await anext(events)).object
    assert (seen["apiVersion"], seen["note"], seen["deprecatedCount"]) == ("events.k8s.io/v1", "hello", 3)


async def test_new_events_are_strict_and_do_not_change(api: RunningApi) -> None:
    with pytest.raises(Invalid, match="reportingController: Required value"):
        await api.client.create(NEW_EVENTS, event(reportingController=""))
    await api.client.create(NEW_EVENTS, event())
    series = {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}
    assert (await api.client.patch(NEW_EVENTS, "e", {"series": series}, "default"))["series"]["count"] == 2
    with pytest.raises(Invalid, match="field is immutable"):
        await api.client.patch(NEW_EVENTS, "e", {"note": "other"}, "default")


async def test_the_counts_that_v1_always_has_are_there_before_anybody_counted(api: RunningApi) -> None:
    made = await api.client.create(V1, scaler())
    assert made["status"] == {"currentReplicas": 0, "desiredReplicas": 0}
    assert (await api.client.get(V2, "web", "default"))["status"] == {"desiredReplicas": 0}
    await api.client.patch(V2, "web", {"status": {"desiredReplicas": 2}}, "default", subresource="status")
    assert (await api.client.get(V1, "web", "default"))["status"] == {"currentReplicas": 0, "desiredReplicas": 2}
