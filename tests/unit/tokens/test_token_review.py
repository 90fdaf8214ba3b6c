"""TokenReview: what others are told about a token."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj, uid_of
from skerry.kube.resources import SERVICE_ACCOUNTS
from tests.support.api import RunningApi
from tests.unit.api.raw_http import send
from tests.unit.tokens.support import make_account, make_pod, request_token

PATH = "/apis/authentication.k8s.io/v1/tokenreviews"
ISSUER = "https://kubernetes.default.svc.cluster.local"


async def review(api: RunningApi, **spec: Any) -> Obj:
    answer = await send(api, "POST", PATH, {"spec": spec})
    assert answer.code == 201
    assert answer.json["kind"] == "TokenReview"
    status: Obj = answer.json["status"]
    return status


async def test_a_good_token(api: RunningApi) -> None:
    account = await make_account(api)
    pod = await make_pod(api, nodeName="n1")
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "web"}
    status = await review(api, token=(await request_token(api, boundObjectRef=bound))["status"]["token"])
    extra = status["user"].pop("extra")
    assert status == {
        "authenticated": True,
        "audiences": [ISSUER],
        "user": {
            "username": "system:serviceaccount:default:app",
            "uid": uid_of(account),
            "groups": ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
        },
    }
    assert extra.pop("authentication.kubernetes.io/credential-id")[0].startswith("JTI=")
    assert extra == {
        "authentication.kubernetes.io/node-name": ["n1"],
        "authentication.kubernetes.io/pod-name": ["web"],
        "authentication.kubernetes.io/pod-uid": [uid_of(pod)],
    }


async def test_audiences(api: RunningApi) -> None:
    await make_account(api)
    token = (await request_token(api, audiences=["vault", ISSUER]))["status"]["token"]
    assert (await review(api, token=token, audiences=["vault", "x"]))["audiences"] == ["vault"]
    refused = await review(api, token=token, audiences=["x"])
    assert refused["user"] == {}
    assert refused["error"] == (
        f'[invalid bearer token, token audiences ["vault" "{ISSUER}"] is invalid for the target audiences ["x"]]'
    )


async def test_bad_tokens(api: RunningApi) -> None:
    await make_account(api)
    token = (await request_token(api))["status"]["token"]
    await api.client.delete(SERVICE_ACCOUNTS, "app", "default")
    assert (await review(api, token="nonsense"))["error"] == "invalid bearer token"
    assert (await review(api, token=token))["error"] == '[invalid bearer token, serviceaccounts "app" not found]'
    empty = await send(api, "POST", PATH, {"spec": {}})
    assert (empty.code, empty.json["message"]) == (400, "token is required for TokenReview in authentication")
    assert (await send(api, "GET", PATH)).code == 405
