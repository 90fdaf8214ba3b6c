"""HorizontalPodAutoscalers on a real API: usage comes through metrics.k8s.io, Deployments grow and shrink."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from skerry.engine.api.pod_access import PodAccess
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj, labels_of, name_of
from skerry.kube.resources import DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, PODS
from tests.support.controllers import World, running_controllers

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}


class Meter:
    """Says of every pod that it uses so many millicores."""

    def __init__(self) -> None:
        self.millicores = 0
        self.world: World | None = None

    async def pod_metrics(self) -> Sequence[Obj]:
        assert self.world is not None
        return [self._of(pod) for pod in self.world.list(PODS)]

    def _of(self, pod: Obj) -> Obj:
        assert self.world is not None
        metadata = {"name": name_of(pod), "namespace": "default", "labels": labels_of(pod)}
        container = {"name": "app", "usage": {"cpu": f"{self.millicores}m", "memory": "10Mi"}}
        now = rfc3339(self.world.context.clock.now())
        return {"metadata": metadata, "timestamp": now, "window": "0s", "containers": [container]}


@asynccontextmanager
async def metered(replicas: int = 1, **resources: Any) -> AsyncIterator[tuple[World, Meter]]:
    """A Deployment of pods that started long ago, so that the CPU of their start does not matter."""
    meter = Meter()
    async with running_controllers(pod_access=cast(PodAccess, meter)) as world:
        meter.world = world
        container = {"name": "app", "image": "app:1", "resources": resources or {"requests": {"cpu": "100m"}}}
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        }
        await world.client.create(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": spec}, "default")
        await world.until(lambda: [phase(pod) for pod in world.list(PODS)] == ["Running"] * replicas)
        for pod in world.list(PODS):
            conditions = [{**one, "lastTransitionTime": "2020-01-01T00:00:00Z"} for one in pod["status"]["conditions"]]
            old = {"status": {"startTime": "2020-01-01T00:00:00Z", "conditions": conditions}}
            await world.client.patch(PODS, name_of(pod), old, "default", subresource="status")
        await world.until(lambda: all("startTime" in pod["status"] for pod in world.list(PODS)))
        yield world, meter


def phase(pod: Obj) -> str:
    return str((pod.get("status") or {}).get("phase"))


async def autoscale(world: World, *metrics: Obj, **spec: Any) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    body = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 10, "metrics": metrics or [CPU], **spec}
    await world.client.create(HORIZONTAL_POD_AUTOSCALERS, {"metadata": {"name": "web"}, "spec": body}, "default")


def status(world: World) -> Obj:
    found: Obj = (world.get(HORIZONTAL_POD_AUTOSCALERS, "web") or {}).get("status") or {}
    return found


def condition(world: World, type_: str) -> tuple[str, str]:
    found = (one for one in status(world).get("conditions") or () if one["type"] == type_)
    return next(((one["status"], one["reason"]) for one in found), ("", ""))


def wanted(world: World) -> int:
    return int((world.get(DEPLOYMENTS, "web") or {})["spec"]["replicas"])


async def test_load_makes_it_grow() -> None:
    async with metered() as (world, meter):
        meter.millicores = 150
        await autoscale(world)
        await world.until(lambda: wanted(world) == 3)
        await world.until(lambda: condition(world, "AbleToScale") == ("True", "SucceededRescale"))
        assert condition(world, "ScalingActive") == ("True", "ValidMetricFound")
        assert condition(world, "ScalingLimited") == ("False", "DesiredWithinRange")
        (shown,) = status(world)["currentMetrics"]
        assert shown["resource"]["current"] == {"averageUtilization": 150, "averageValue": "150m"}
        assert (status(world)["currentReplicas"], status(world)["desiredReplicas"]) == (1, 3)
        await world.until(lambda: world.events("SuccessfulRescale"))
        what = "New size: 3; reason: cpu resource utilization (percentage of request) above target"
        assert world.events("SuccessfulRescale") == [what]


async def test_no_further_than_allowed() -> None:
    async with metered() as (world, meter):
        meter.millicores = 1000
        await autoscale(world, maxReplicas=2)
        await world.until(lambda: wanted(world) == 2)
        await world.until(lambda: condition(world, "ScalingLimited") == ("True", "TooManyReplicas"))


async def test_it_shrinks_when_nothing_holds_it() -> None:
    async with metered(4) as (world, meter):
        meter.millicores = 10
        await autoscale(world, minReplicas=2, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
        await world.until(lambda: wanted(world) == 2)
        await world.until(lambda: condition(world, "ScalingLimited") == ("True", "TooFewReplicas"))


async def test_it_does_not_shrink_at_once() -> None:
    async with metered(4) as (world, meter):
        meter.millicores = 10
        await autoscale(world)
        await world.until(lambda: condition(world, "AbleToScale") == ("True", "ScaleDownStabilized"))
        assert wanted(world) == 4


async def test_what_cannot_be_measured() -> None:
    async with metered(1, limits={"memory": "1Gi"}) as (world, _):
        await autoscale(world)
        await world.until(lambda: condition(world, "ScalingActive") == ("False", "FailedGetResourceMetric"))
        await world.until(lambda: world.events("FailedGetResourceMetric"))
        assert "missing request for cpu in container app of Pod" in world.events("FailedGetResourceMetric")[0]
        queue = {
            "type": "External",
            "external": {"metric": {"name": "jobs"}, "target": {"type": "Value", "value": "5"}},
        }
        patch = {"spec": {"metrics": [queue]}}
        await world.client.patch(HORIZONTAL_POD_AUTOSCALERS, "web", patch, "default")
        await world.until(lambda: condition(world, "ScalingActive") == ("False", "FailedGetExternalMetric"))


async def test_no_target() -> None:
    async with metered() as (world, _):
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}
        await autoscale(world, scaleTargetRef=target)
        await world.until(lambda: condition(world, "AbleToScale") == ("False", "FailedGetScale"))


async def test_bounds_hold_without_metrics() -> None:
    async with metered() as (world, _):
        await autoscale(world, minReplicas=3)
        await world.until(lambda: wanted(world) == 3)
        await world.until(lambda: world.events("SuccessfulRescale"))
        assert "Current number of replicas below Spec.MinReplicas" in world.events("SuccessfulRescale")[0]
