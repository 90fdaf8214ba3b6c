"""Bound service-account tokens: what they say, and everything that ends them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import jwt
import pytest

from skerry.engine.api.request import Request
from skerry.kube.errors import BadRequest, Conflict, Invalid, NotFound
from skerry.kube.objects import uid_of
from skerry.kube.resources import NODES, PODS, SECRETS, SERVICE_ACCOUNTS
from tests.support.api import RunningApi, running_api
from tests.support.clock import SetClock
from tests.unit.api.raw_http import send
from tests.unit.tokens.support import call, make_account, make_pod, request_token

ISSUER = "https://kubernetes.default.svc.cluster.local"
APP = "system:serviceaccount:default:app"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def api(clock: SetClock) -> AsyncIterator[RunningApi]:
    async with running_api(clock=clock) as running:
        yield running


async def test_claims_are_those_of_kubernetes(api: RunningApi, clock: SetClock) -> None:
    account = await make_account(api)
    node = await api.client.create(NODES, {"metadata": {"name": "n1"}})
    pod = await make_pod(api, nodeName="n1")
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": uid_of(pod)}
    answer = await request_token(api, expirationSeconds=3607, boundObjectRef=bound)
    now = int(clock.now().timestamp())
    token = answer["status"]["token"]
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    assert set(header) == {"alg", "kid"}
    jti = claims.pop("jti")
    assert claims == {
        "aud": [ISSUER],
        "exp": now + 365 * 24 * 3600,
        "iat": now,
        "iss": ISSUER,
        "nbf": now,
        "sub": APP,
        "kubernetes.io": {
            "namespace": "default",
            "node": {"name": "n1", "uid": uid_of(node)},
            "pod": {"name": "web", "uid": uid_of(pod)},
            "serviceaccount": {"name": "app", "uid": uid_of(account)},
            "warnafter": now + 3607,
        },
    }
    assert len(jti) == 36
    until = answer["status"]["expirationTimestamp"]
    assert until == (clock.now().fromtimestamp(now + 3607, clock.now().tzinfo)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_others_can_check_tokens_by_discovery(api: RunningApi) -> None:
    await make_account(api)
    token = (await request_token(api, audiences=["them"]))["status"]["token"]
    found = (await send(api, "GET", "/.well-known/openid-configuration")).json
    assert found["issuer"] == ISSUER
    assert found["jwks_uri"].endswith("/openid/v1/jwks")
    answer = await send(api, "GET", "/openid/v1/jwks")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    keys = jwt.PyJWKSet.from_dict(answer.json)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, found["id_token_signing_alg_values_supported"], audience="them")
    assert claims["sub"] == APP


async def test_a_token_makes_its_account_the_user(api: RunningApi) -> None:
    await make_account(api)
    token = (await request_token(api))["status"]["token"]
    for _ in range(2):  # the second time it is remembered
        answer = await call(api, token)
        assert answer.code == 403
        assert f'User "{APP}" cannot list resource "pods"' in answer.json["message"]


async def test_what_is_no_token_of_ours_is_unauthorized(api: RunningApi) -> None:
    await make_account(api)
    token = (await request_token(api))["status"]["token"]
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = "system:serviceaccount:kube-system:admin"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for wrong in ("x", "a.b.c", f"{head}.{forged}.{signature}", f"{none}.{body}.", f"{token}x", "é", "a" * 20000):
        answer = await call(api, wrong)
        assert (answer.code, answer.json["message"]) == (401, "Unauthorized"), wrong


async def test_tokens_expire(api: RunningApi, clock: SetClock) -> None:
    await make_account(api)
    token = (await request_token(api, expirationSeconds=600))["status"]["token"]
    clock.advance(600)
    assert (await call(api, token)).code == 403
    clock.advance(61)
    assert (await call(api, token)).code == 401


async def test_a_token_for_others_is_not_for_us(api: RunningApi) -> None:
    await make_account(api)
    token = (await request_token(api, audiences=["vault"]))["status"]["token"]
    assert (await call(api, token)).code == 401


async def test_a_new_account_of_the_same_name_does_not_inherit_tokens(api: RunningApi) -> None:
    await make_account(api)
    token = (await request_token(api))["status"]["token"]
    assert (await call(api, token)).code == 403
    await api.client.delete(SERVICE_ACCOUNTS, "app", "default")
    assert (await call(api, token)).code == 401
    await make_account(api)
    assert (await call(api, token)).code == 401


@pytest.mark.parametrize("kind", ["Pod", "Secret", "Node"])
async def test_a_token_dies_with_what_it_is_bound_to(api: RunningApi, kind: str) -> None:
    await make_account(api)
    await make_pod(api)
    await api.client.create(SECRETS, {"metadata": {"name": "web"}}, "default")
    await api.client.create(NODES, {"metadata": {"name": "web"}})
    resource, namespace = {"Pod": (PODS, "default"), "Secret": (SECRETS, "default"), "Node": (NODES, None)}[kind]
    bound = {"apiVersion": "v1", "kind": kind, "name": "web"}
    token = (await request_token(api, boundObjectRef=bound))["status"]["token"]
    assert (await call(api, token)).code == 403
    await api.client.delete(resource, "web", namespace, {"gracePeriodSeconds": 0})
    assert (await call(api, token)).code == 401


async def test_a_terminating_pod_keeps_its_token_for_its_grace_and_a_minute(api: RunningApi, clock: SetClock) -> None:
    await make_account(api)
    await make_pod(api, nodeName="n1", terminationGracePeriodSeconds=30)
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "web"}
    token = (await request_token(api, boundObjectRef=bound))["status"]["token"]
    await api.client.delete(PODS, "web", "default")
    clock.advance(80)
    assert (await call(api, token)).code == 403
    clock.advance(20)
    assert (await call(api, token)).code == 401


async def test_wrong_requests_are_refused(api: RunningApi) -> None:
    await make_account(api)
    await make_account(api, "other")
    await make_pod(api)
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "web"}
    with pytest.raises(Invalid, match="may not specify a duration less than 10 minutes"):
        await request_token(api, expirationSeconds=599)
    with pytest.raises(Invalid, match=r"larger than 2\^32"):
        await request_token(api, expirationSeconds=(1 << 32) + 1)
    with pytest.raises(NotFound, match='serviceaccounts "none" not found'):
        await request_token(api, "none")
    with pytest.raises(BadRequest, match="different serviceaccount name"):
        await request_token(api, "other", boundObjectRef=bound)
    with pytest.raises(Conflict, match="does not match the UID in record"):
        await request_token(api, boundObjectRef={**bound, "uid": "u"})
    with pytest.raises(NotFound, match='pods "none" not found'):
        await request_token(api, boundObjectRef={**bound, "name": "none"})
    with pytest.raises(BadRequest, match="cannot bind token to object of type"):
        await request_token(api, boundObjectRef={"apiVersion": "v1", "kind": "ConfigMap", "name": "web"})
    answer = await send(
        api, "POST", "/api/v1/namespaces/default/serviceaccounts/app/token", {"metadata": {"name": "z"}}
    )
    assert answer.code == 422
    assert "must match the service account name if specified" in answer.json["message"]


async def test_the_audit_log_learns_who_uses_a_token_for_too_long(api: RunningApi, clock: SetClock) -> None:
    await make_account(api)
    await make_pod(api)
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "web"}
    token = (await request_token(api, expirationSeconds=3607, boundObjectRef=bound))["status"]["token"]
    authenticate = api.server.credentials.authenticators()[0]

    async def annotations() -> dict[str, str]:
        request = Request(None, "get", None, headers={b"authorization": f"Bearer {token}".encode()})
        assert await authenticate(request) is not None
        return request.annotations

    assert await annotations() == {}
    clock.advance(3700)
    late = f"subject: {APP}, seconds after warning threshold: 93"
    assert await annotations() == {"authentication.k8s.io/stale-token": late}
