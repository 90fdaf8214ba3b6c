"""What tests of credentials share: objects to hang tokens on, and calling the API with a token."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj
from skerry.kube.resources import PODS, SERVICE_ACCOUNTS
from tests.support.api import RunningApi
from tests.unit.api.raw_http import Answer, send

POD: Obj = {
    "metadata": {"name": "web"},
    "spec": {"serviceAccountName": "app", "containers": [{"name": "c", "image": "i"}]},
}


async def make_account(api: RunningApi, name: str = "app") -> Obj:
    """A service account in the namespace default."""
    return await api.client.create(SERVICE_ACCOUNTS, {"metadata": {"name": name}}, "default")


async def make_pod(api: RunningApi, **spec: Any) -> Obj:
    """A pod that runs as the account `app`."""
    return await api.client.create(PODS, {**POD, "spec": {**POD["spec"], **spec}}, "default")


async def request_token(api: RunningApi, account: str = "app", **spec: Any) -> Obj:
    """The answered TokenRequest."""
    body = {"metadata": {"name": account}, "spec": spec}
    return await api.client.create(SERVICE_ACCOUNTS, body, "default", "token")


async def call(api: RunningApi, token: str, path: str = "/api/v1/namespaces/default/pods") -> Answer:
    """GET as the token's owner, without a client certificate."""
    return await send(api, "GET", path, certificate=False, authorization=f"Bearer {token}")
