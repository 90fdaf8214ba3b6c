"""What the condition Available of an APIService says, and when it changes."""

from __future__ import annotations

from skerry.kube.resources import API_SERVICES, SERVICES
from tests.component.aggregation.conftest import NAME, Wardle
from tests.support.extension_server import extension_server


async def test_every_thing_that_can_be_wrong_in_turn(wardle: Wardle) -> None:
    client = wardle.world.client
    service = {"namespace": "wardle", "name": "none", "port": 7443}
    await wardle.register(service=service)
    condition = await wardle.until_reason("ServiceNotFound")
    assert (condition["status"], condition["message"]) == ("False", 'service/none in "wardle" is not present')

    async def point(name: str, port: int) -> None:
        await client.patch(API_SERVICES, NAME, {"spec": {"service": {"name": name, "port": port}}})

    await point("api", 1)
    assert "not listening on port 1" in (await wardle.until_reason("ServicePortError"))["message"]
    await point("api", 7443)
    await wardle.until_reason("EndpointsNotFound")
    async with wardle.serving() as running:
        condition = await wardle.until_reason("FailedDiscoveryCheck")  # nobody knows its authority
        assert "certificate verify failed" in condition["message"]
        await client.patch(API_SERVICES, NAME, {"spec": {"caBundle": running.bundle}})
        condition = await wardle.until_reason("Passed")
        assert (condition["status"], condition["message"]) == ("True", "all checks passed")
    await client.delete(SERVICES, "api", "wardle")
    await wardle.until_reason("ServiceNotFound")


async def test_certificate_of_another_name_is_refused_unless_nobody_is_to_look(wardle: Wardle) -> None:
    async with extension_server(wardle.folder, wardle.authentication, host="other.wardle.svc") as running:
        await wardle.set_endpoint(running.port)
        await wardle.register(caBundle=running.bundle)
        assert "Hostname mismatch" in (await wardle.until_reason("FailedDiscoveryCheck"))["message"]
        insecure = {"spec": {"caBundle": None, "insecureSkipTLSVerify": True}}
        await wardle.world.client.patch(API_SERVICES, NAME, insecure)
        await wardle.until_reason("Passed")


async def test_recovers_by_itself(wardle: Wardle) -> None:
    async with wardle.serving() as running:
        port = running.port
        await wardle.register(insecureSkipTLSVerify=True)
        await wardle.until_reason("Passed")
    await wardle.set_endpoint(port)  # a change of the endpoints has it look again
    await wardle.until_reason("FailedDiscoveryCheck")
    async with wardle.serving(port):
        await wardle.until_reason("Passed")


async def test_local_again_without_a_service(wardle: Wardle) -> None:
    await wardle.register(insecureSkipTLSVerify=True)
    await wardle.until_reason("EndpointsNotFound")
    await wardle.world.client.patch(API_SERVICES, NAME, {"spec": {"service": None, "insecureSkipTLSVerify": None}})
    assert (await wardle.until_reason("Local"))["status"] == "True"


async def test_one_endpoint_that_answers_is_enough(wardle: Wardle) -> None:
    async with wardle.serving() as running:
        await wardle.set_endpoint(running.port, "127.0.0.2", "127.0.0.1", "127.0.0.3")  # it listens on one of them
        await wardle.register(caBundle=running.bundle)
        await wardle.until_reason("Passed")
