"""metrics.k8s.io is served here until somebody brings a server of their own, as with metrics-server."""

from __future__ import annotations

from pathlib import Path

from skerry.kube.conditions import condition_of
from skerry.kube.resources import API_SERVICES
from tests.component.streams.local_pods import LocalPods
from tests.support.controllers import World, running_controllers
from tests.unit.api.raw_http import send

NAME, NODES = "v1beta1.metrics.k8s.io", "/apis/metrics.k8s.io/v1beta1/nodes"


def reason(world: World) -> str:
    service = world.get(API_SERVICES, NAME)
    condition = condition_of(service, "Available") if service is not None else None
    return str(condition["reason"]) if condition is not None else ""


async def test_a_users_server_takes_over_and_ours_comes_back(tmp_path: Path) -> None:
    async with running_controllers(pod_access=LocalPods(tmp_path / "log")) as world:
        await world.until(lambda: reason(world) == "Local", 60)
        await world.until(lambda: not world.api.server.registry.is_elsewhere("metrics.k8s.io", "v1beta1"), 60)
        assert (await send(world.api, "GET", NODES)).code == 200
        service = {"namespace": "kube-system", "name": "metrics-server"}
        await world.client.patch(API_SERVICES, NAME, {"spec": {"service": service, "insecureSkipTLSVerify": True}})
        await world.until(lambda: reason(world) == "ServiceNotFound", 60)
        assert (await send(world.api, "GET", NODES)).code == 503
        await world.client.delete(API_SERVICES, NAME)
        await world.until(lambda: reason(world) == "Local", 60)
        await world.until(lambda: not world.api.server.registry.is_elsewhere("metrics.k8s.io", "v1beta1"), 60)
        assert (await send(world.api, "GET", NODES)).code == 200
