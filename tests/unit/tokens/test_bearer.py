"""Where tokens are found in requests, and what kubectl makes of them."""

from __future__ import annotations

import base64
from pathlib import Path

import jwt
import pytest

from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj
from skerry.kube.resources import SERVICE_ACCOUNTS
from tests.support.api import RunningApi
from tests.support.kubectl import Kubectl
from tests.unit.api.raw_http import Answer, send
from tests.unit.tokens.support import call, make_account, make_pod, request_token

EXEC = "/api/v1/namespaces/default/pods/web/exec?command=id&container=c"


async def upgrade(api: RunningApi, protocols: str) -> Answer:
    return await send(
        api,
        "GET",
        EXEC,
        certificate=False,
        upgrade="websocket",
        connection="Upgrade",
        sec_websocket_version="13",
        sec_websocket_key=base64.b64encode(b"0123456789abcdef").decode(),
        sec_websocket_protocol=protocols,
    )


def offered(token: str) -> str:
    return "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


async def test_browsers_offer_their_token_as_a_protocol(api: RunningApi) -> None:
    await make_account(api)
    await make_pod(api)
    token = (await request_token(api))["status"]["token"]
    known = await upgrade(api, f"{offered(token)}, v5.channel.k8s.io")
    assert (known.code, 'User "system:serviceaccount:default:app"' in known.json["message"]) == (403, True)
    assert (await upgrade(api, f"{offered('nonsense')}, v5.channel.k8s.io")).code == 401
    assert (await upgrade(api, offered(token))).code == 401  # nothing left to choose
    nobody = await upgrade(api, "v5.channel.k8s.io")
    assert (nobody.code, "system:anonymous" in nobody.json["message"]) == (403, True)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_spelled_anyhow(api: RunningApi, scheme: str) -> None:
    await make_account(api)
    token = (await request_token(api))["status"]["token"]
    answer = await send(api, "GET", "/api/v1/pods", certificate=False, authorization=f"{scheme}  {token} ")
    assert answer.code == 403
    assert "system:serviceaccount:default:app" in answer.json["message"]


async def test_a_client_certificate_comes_before_a_token(api: RunningApi) -> None:
    assert (await send(api, "GET", "/api/v1/pods", authorization="Bearer nonsense")).code == 200


async def test_other_schemes_are_nobodys(api: RunningApi) -> None:
    answer = await send(api, "GET", "/api/v1/pods", certificate=False, authorization="Basic YTpi")
    assert 'User "system:anonymous"' in answer.json["message"]


async def test_kubectl_create_token(api: RunningApi, tmp_path: Path) -> None:
    kubectl = Kubectl(api.kubeconfig, tmp_path)
    await make_account(api)
    pod = await make_pod(api)
    words = ["--bound-object-kind", "Pod", "--bound-object-name", "web", "--bound-object-uid", pod["metadata"]["uid"]]
    token = (await kubectl("create", "token", "app", "--duration", "20m", "--audience", "vault", *words)).out.strip()
    claims: Obj = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (["vault"], 1200)
    assert claims["kubernetes.io"]["pod"]["name"] == "web"
    ours = (await kubectl("create", "token", "app")).out.strip()
    assert (await call(api, ours)).code == 403


async def test_tokens_are_not_for_everybody_to_make(api: RunningApi) -> None:
    await make_account(api)
    nobody = api.server.client("nora")
    with pytest.raises(Forbidden, match="serviceaccounts/token"):
        await nobody.create(SERVICE_ACCOUNTS, {"metadata": {"name": "app"}, "spec": {}}, "default", "token")
