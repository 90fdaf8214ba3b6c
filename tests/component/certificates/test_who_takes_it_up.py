"""What follows from a renewal, beside the server's own connections: published copies, and the front proxy's."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

from skerry.engine.api.pki import Pki
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, SECRETS, SERVICE_ACCOUNTS
from tests.component.aggregation.conftest import wardle_of
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers

DAY = 86400.0
TOKEN_SECRET: Obj = {
    "metadata": {"name": "forever", "annotations": {"kubernetes.io/service-account.name": "default"}},
    "type": "kubernetes.io/service-account-token",
}


async def published(world: World) -> set[str]:
    """Every copy of the authority that the API has."""
    found = set()
    for namespace in (await world.client.list(NAMESPACES)).items:
        found.add((await world.client.get(CONFIG_MAPS, "kube-root-ca.crt", name_of(namespace)))["data"]["ca.crt"])
    secret = await world.client.get(SECRETS, "forever", "default")
    found.add(base64.b64decode(secret["data"]["ca.crt"]).decode())
    authentication = await world.client.get(CONFIG_MAPS, "extension-apiserver-authentication", "kube-system")
    found.add(authentication["data"]["client-ca-file"])
    return found


async def test_a_renewed_authority_is_published_wherever_the_old_one_was() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        await world.client.create(SECRETS, TOKEN_SECRET, "default")
        pki = Pki(world.api.server.config.paths.pki)
        first, key = pki.certificate("ca").read_text(), pki.key("ca").read_bytes()

        async def only(pem: str) -> bool:
            return await published(world) == {pem}

        await world.until(lambda: only(first))
        token = (await world.client.get(SECRETS, "forever", "default"))["data"]["token"]
        clock.jump(9 * 365 * DAY)
        await world.api.server.certificates.look()
        second = pki.certificate("ca").read_text()
        assert second != first
        assert pki.key("ca").read_bytes() == key
        await world.until(lambda: only(second))
        assert (await world.client.get(SECRETS, "forever", "default"))["data"]["token"] == token
        assert (await world.client.list(SERVICE_ACCOUNTS, "default")).items


async def test_extension_servers_are_shown_the_front_proxys_new_certificate(tmp_path: Path) -> None:
    """The first one, made 400 days ago, is nothing to a server of today."""
    clock = SetClock(datetime.now(UTC) - timedelta(days=400))
    async with running_controllers(clock=clock) as world:
        wardle = await wardle_of(world, tmp_path)
        async with wardle.serving() as running:
            await wardle.register(caBundle=running.bundle)
            await wardle.until_reason("FailedDiscoveryCheck")
            clock.jump(400 * DAY)
            await world.api.server.certificates.look()
            await wardle.until_reason("Passed")
            assert {one["user"] for one in running.seen} == {"system:kube-aggregator"}
