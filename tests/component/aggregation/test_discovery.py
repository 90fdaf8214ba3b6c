"""An extension server's group is part of discovery, and stays in it while the server is away."""

from __future__ import annotations

from typing import Any

from skerry.kube.resources import API_SERVICES
from tests.component.aggregation.conftest import GROUP, NAME, VERSION, Wardle
from tests.support.extension_server import ROOT, Running
from tests.support.kubectl import Kubectl
from tests.unit.api.raw_http import send

FLUNDER = "io.k8s.sample-apiserver.pkg.apis.wardle.v1alpha1.Flunder"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def aggregated(wardle: Wardle) -> dict[str, Any]:
    """The group's only version."""
    answer = await send(wardle.world.api, "GET", "/apis", accept=AGGREGATED)
    (found,) = [group for group in answer.json["items"] if group["metadata"]["name"] == GROUP]
    (version,) = found["versions"]
    return dict(version)


async def test_the_group_is_shown_where_its_priority_puts_it(wardle: Wardle, flunders: Running) -> None:
    api = wardle.world.api
    group = (await send(api, "GET", f"/apis/{GROUP}")).json
    assert (group["kind"], group["preferredVersion"]["version"]) == ("APIGroup", VERSION)
    assert (await send(api, "GET", ROOT)).json["resources"][0]["name"] == "flunders"

    async def names() -> list[str]:
        return [one["name"] for one in (await send(api, "GET", "/apis")).json["groups"]]

    await wardle.world.until(lambda: wardle.world.context.informers.of(API_SERVICES).get("v1.scheduling.k8s.io"), 60)
    found = await names()
    assert found[0] == "apiregistration.k8s.io"
    assert found.index(GROUP) > found.index("apps")
    await wardle.world.client.patch(API_SERVICES, NAME, {"spec": {"groupPriorityMinimum": 19_000}})
    found = await names()
    assert found.index(GROUP) < found.index("apps")


async def test_aggregated_discovery_goes_stale_and_becomes_current_again(wardle: Wardle, flunders: Running) -> None:
    found = await aggregated(wardle)
    assert (found["freshness"], found["resources"][0]["resource"]) == ("Current", "flunders")
    assert found["resources"][0]["subresources"][0]["subresource"] == "talk"
    service = {"name": "none"}
    await wardle.world.client.patch(API_SERVICES, NAME, {"spec": {"service": service}})
    await wardle.until_reason("ServiceNotFound")
    found = await aggregated(wardle)
    assert (found["freshness"], found["resources"][0]["resource"]) == ("Stale", "flunders")
    await wardle.world.client.patch(API_SERVICES, NAME, {"spec": {"service": {"name": "api"}}})
    await wardle.until_reason("Passed")
    assert (await aggregated(wardle))["freshness"] == "Current"


async def test_gone_with_its_api_service(wardle: Wardle, flunders: Running) -> None:
    await wardle.world.client.delete(API_SERVICES, NAME)
    api = wardle.world.api
    await wardle.world.until(lambda: not api.server.registry.is_elsewhere(GROUP, VERSION), 60)
    assert (await send(api, "GET", f"/apis/{GROUP}")).code == 404
    assert GROUP not in (await send(api, "GET", "/apis")).body.decode()


async def test_kubectl_lists_its_resources(wardle: Wardle, flunders: Running, kubectl: Kubectl) -> None:
    listed = (await kubectl("api-resources", f"--api-group={GROUP}", "-o", "wide", "--no-headers")).out
    assert listed.split()[:4] == ["flunders", "fl", f"{GROUP}/{VERSION}", "true"]
    shown = (await kubectl("get", "apiservice", NAME, "--no-headers")).out.split()
    assert shown[:3] == [NAME, "wardle/api", "True"]


async def test_open_api_3_is_the_servers_own(wardle: Wardle, flunders: Running, kubectl: Kubectl) -> None:
    api = wardle.world.api
    index = (await send(api, "GET", "/openapi/v3")).json["paths"]
    assert index[ROOT[1:]]["serverRelativeURL"] == f"/openapi/v3{ROOT}?hash=ABC"
    assert "api/v1" in index
    document = (await send(api, "GET", index[ROOT[1:]]["serverRelativeURL"])).json
    assert document["info"]["title"] == "wardle"
    explained = (await kubectl("explain", "flunder.spec.reference")).out
    assert "What it is about." in explained


async def test_open_api_2_has_its_paths_and_definitions_too(wardle: Wardle, flunders: Running) -> None:
    api = wardle.world.api
    document = (await send(api, "GET", "/openapi/v2")).json
    assert f"{ROOT}/namespaces/{{namespace}}/flunders/{{name}}" in document["paths"]
    assert FLUNDER in document["definitions"]
    assert "io.k8s.api.core.v1.Pod" in document["definitions"]
    encoded = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    binary = (await send(api, "GET", "/openapi/v2", accept=encoded)).body
    assert FLUNDER.encode() in binary
    await wardle.world.client.delete(API_SERVICES, NAME)
    await wardle.world.until(lambda: not api.server.registry.is_elsewhere(GROUP, VERSION), 60)
    assert FLUNDER not in (await send(api, "GET", "/openapi/v2")).json["definitions"]
