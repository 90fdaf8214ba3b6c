"""Secrets that hold a service account's token."""

from __future__ import annotations

import base64

from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, uid_of
from skerry.kube.resources import SECRETS, SERVICE_ACCOUNTS
from tests.support.controllers import World, running_controllers
from tests.unit.tokens.support import call

SECRET: Obj = {
    "metadata": {"name": "forever", "annotations": {"kubernetes.io/service-account.name": "app"}},
    "type": "kubernetes.io/service-account-token",
}


async def filled(world: World, name: str = "forever") -> Obj:
    while True:
        secret = await world.client.get(SECRETS, name, "default")
        if secret.get("data", {}).get("token"):
            return secret
        await world.settle()


async def gone(world: World, name: str = "forever") -> None:
    while True:
        try:
            await world.client.get(SECRETS, name, "default")
        except NotFound:
            return
        await world.settle()


async def test_filled_with_a_token_that_lives_as_long_as_the_secret() -> None:
    async with running_controllers() as world:
        account = await world.client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "app"}}, "default")
        await world.client.create(SECRETS, SECRET, "default")
        secret = await filled(world)
        assert secret["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == uid_of(account)
        data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        assert (data["ca.crt"], data["namespace"]) == (world.context.root_ca.pem, "default")
        answer = await call(world.api, data["token"])
        assert 'User "system:serviceaccount:default:app"' in answer.json["message"]
        await world.client.delete(SECRETS, "forever", "default")
        assert (await call(world.api, data["token"])).code == 401


async def test_a_token_that_its_secret_no_longer_holds_is_worthless() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "app"}}, "default")
        await world.client.create(SECRETS, SECRET, "default")
        token = base64.b64decode((await filled(world))["data"]["token"]).decode()
        assert (await call(world.api, token)).code == 403
        other = {"data": {"token": base64.b64encode(b"other").decode()}}
        await world.client.patch(SECRETS, "forever", other, "default")
        assert (await call(world.api, token)).code == 401


async def test_gone_with_the_account_and_without_one() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "app"}}, "default")
        await world.client.create(SECRETS, SECRET, "default")
        await filled(world)
        await world.client.delete(SERVICE_ACCOUNTS, "app", "default")
        await gone(world)
        await world.client.create(SECRETS, SECRET, "default")
        await gone(world)


async def test_a_deleted_secret_leaves_the_list_of_its_account() -> None:
    async with running_controllers() as world:
        account = {"metadata": {"name": "app"}, "secrets": [{"name": "forever"}, {"name": "other"}]}
        await world.client.create(SERVICE_ACCOUNTS, account, "default")
        await world.client.create(SECRETS, SECRET, "default")
        await filled(world)
        await world.client.delete(SECRETS, "forever", "default")
        await world.until(lambda: (world.get(SERVICE_ACCOUNTS, "app") or {}).get("secrets") == [{"name": "other"}])
