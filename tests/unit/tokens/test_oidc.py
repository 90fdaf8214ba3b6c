"""Users of OpenID Connect issuers, with real issuers on loopback."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest

from skerry.engine.api.auth.oidc.keys import IssuerKeys, Unavailable
from skerry.engine.api.auth.oidc.settings import ConfigurationError, Mapped
from skerry.engine.api.auth.oidc.settings import Issuer as IssuerSettings
from skerry.kube.objects import Obj
from tests.support.api import RunningApi, running_api
from tests.unit.api.raw_http import Answer, send
from tests.unit.tokens.issuer import Issuer, running_issuer
from tests.unit.tokens.support import call

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
BY_CLAIM: Obj = {"username": {"claim": "sub", "prefix": "lab:"}, "groups": {"claim": "groups", "prefix": "g:"}}


def described(issuer: Issuer, mappings: Obj | None = None, place: Obj | None = None, **more: Any) -> Obj:
    """One entry of `jwt`."""
    where = {"url": issuer.url, "audiences": ["skerry"], "certificateAuthority": issuer.authority, **(place or {})}
    return {"issuer": where, "claimMappings": mappings or BY_CLAIM, **more}


def configuration(*issuers: Obj, **more: Any) -> str:
    """The file; JSON is YAML."""
    kind = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
    return json.dumps({**kind, "jwt": list(issuers), **more})


@asynccontextmanager
async def api_with(folder: Path, text: str) -> AsyncIterator[RunningApi]:
    file = folder / "authentication.yaml"
    file.write_text(text)
    async with running_api(authentication_config=file) as api:
        yield api


async def review(api: RunningApi, token: str) -> Obj:
    status: Obj = (await send(api, "POST", REVIEWS, {"spec": {"token": token}})).json["status"]
    return status


def refused_user(answer: Answer) -> str:
    assert answer.code == 403
    return str(answer.json["message"]).split('"')[1]


async def test_claims_become_a_user(tmp_path: Path) -> None:
    async with running_issuer() as issuer, api_with(tmp_path, configuration(described(issuer))) as api:
        assert refused_user(await call(api, issuer.token())) == "lab:anna"
        status = await review(api, issuer.token(groups=["a", "b"]))
        assert status["user"] == {"username": "lab:anna", "groups": ["g:a", "g:b", "system:authenticated"]}
        assert (await review(api, issuer.token(groups="one")))["user"]["groups"][0] == "g:one"
        assert issuer.asked["keys"] == 1


async def test_expressions_become_a_user(tmp_path: Path) -> None:
    mappings = {
        "username": {"expression": "claims.sub + '@' + claims.org.name"},
        "groups": {"expression": "claims.roles.split(',')"},
        "uid": {"expression": "string(claims.number)"},
        "extra": [
            {"key": "lab.example/room", "valueExpression": "claims.?room.orValue('none')"},
            {"key": "lab.example/empty", "valueExpression": "''"},
        ],
    }
    async with running_issuer() as issuer, api_with(tmp_path, configuration(described(issuer, mappings))) as api:
        token = issuer.token(org={"name": "uni"}, roles="a,b", number=7)
        assert (await review(api, token))["user"] == {
            "username": "anna@uni",
            "uid": "7",
            "groups": ["a", "b", "system:authenticated"],
            "extra": {"lab.example/room": ["none"]},
        }
        assert "error evaluating username claim expression" in (await review(api, issuer.token()))["error"]


async def test_several_issuers_and_algorithms(tmp_path: Path) -> None:
    async with running_issuer() as one, running_issuer() as two:
        two.new_key("rsa", "RSA")
        other = {"username": {"claim": "sub", "prefix": "two:"}}
        async with api_with(tmp_path, configuration(described(one), described(two, other))) as api:
            assert refused_user(await call(api, one.token())) == "lab:anna"
            assert refused_user(await call(api, two.token("RS256"))) == "two:anna"
            assert refused_user(await call(api, two.token("PS512"))) == "two:anna"
            stolen = {"iss": two.url, "aud": "skerry", "sub": "x", "exp": int(time.time()) + 60}
            forged = jwt.encode(stolen, one.keys["one"], "ES256", headers={"kid": "rsa"})
            assert (await call(api, forged)).code == 401


async def test_what_makes_a_token_worthless(tmp_path: Path) -> None:
    now = int(time.time())
    async with running_issuer() as issuer, api_with(tmp_path, configuration(described(issuer))) as api:
        for claims, why in [
            ({"exp": now - 1}, "token is expired"),
            ({"exp": None}, "token is expired"),
            ({"nbf": now + 1000}, "current time before the nbf"),
            ({"aud": "other"}, 'expected audience in ["skerry"] got ["other"]'),
            ({"sub": 7}, 'parse username claims "sub": must be a string'),
            ({"groups": [1]}, 'parse groups claim "groups"'),
        ]:
            token = issuer.token(**claims)  # type: ignore[arg-type]
            assert why in (await review(api, token))["error"], claims
            assert (await call(api, token)).code == 401
        secret = jwt.encode({"iss": issuer.url, "aud": "skerry", "exp": now + 60}, "s" * 32, "HS256", {"kid": "one"})
        assert (await call(api, secret)).code == 401
        assert (await call(api, issuer.token(aud=["other", "skerry"]))).code == 403


async def test_rules_on_claims_and_users(tmp_path: Path) -> None:
    rules = [
        {"claim": "hd", "requiredValue": "uni.example"},
        {"expression": "claims.exp - claims.iat <= 3600", "message": "lives too long"},
    ]
    no_system = {"expression": "!user.username.startsWith('system:')", "message": "reserved"}
    mappings = {"username": {"claim": "sub", "prefix": ""}}
    entry_of = {"claimValidationRules": rules, "userValidationRules": [no_system]}
    async with (
        running_issuer() as issuer,
        api_with(tmp_path, configuration(described(issuer, mappings, **entry_of))) as api,
    ):
        assert refused_user(await call(api, issuer.token(hd="uni.example"))) == "anna"
        for claims, why in [
            ({}, "required claim hd not present"),
            ({"hd": "other"}, "Got = other, want = uni.example"),
            ({"hd": "uni.example", "exp": int(time.time()) + 7200}, "lives too long"),
            ({"hd": "uni.example", "sub": "system:admin"}, "failed: reserved"),
        ]:
            assert why in (await review(api, issuer.token(**claims)))["error"]  # type: ignore[arg-type]


async def test_unverified_addresses_are_nobodys_name(tmp_path: Path) -> None:
    mappings = {"username": {"claim": "email", "prefix": ""}}
    async with running_issuer() as issuer, api_with(tmp_path, configuration(described(issuer, mappings))) as api:
        good = issuer.token(email="a@x.example", email_verified=True)
        assert refused_user(await call(api, good)) == "a@x.example"
        bad = issuer.token(email="a@x.example", email_verified=False)
        assert "email not verified" in (await review(api, bad))["error"]


async def test_new_keys_are_found_and_old_ones_forgotten() -> None:
    async with running_issuer() as issuer:
        now = [0.0]
        settings = IssuerSettings(issuer.url, ("skerry",), Mapped("sub"), authority=issuer.authority)
        keys = IssuerKeys(settings, lambda: now[0])
        assert [key.key_id for key in await keys.candidates("one")] == ["one"]
        issuer.new_key("two")
        assert await keys.candidates("two") == []  # asked a moment ago
        assert issuer.asked["keys"] == 1
        now[0] = 10
        assert [key.key_id for key in await keys.candidates("two")] == ["two"]
        assert await keys.candidates("one") == []
        now[0] = 5000
        await keys.candidates("two")
        await keys.refresh()
        assert issuer.asked["keys"] == 3
        await keys.close()


async def test_an_issuer_that_is_down_stops_nobody(tmp_path: Path) -> None:
    async with running_issuer() as issuer, running_issuer() as other:
        issuer.up = False
        async with api_with(tmp_path, configuration(described(issuer), described(other))) as api:
            assert "not initialized" in (await review(api, issuer.token()))["error"]
            assert refused_user(await call(api, other.token())) == "lab:anna"
            asked = issuer.asked["discovery"]
            await call(api, issuer.token())
            assert issuer.asked["discovery"] == asked  # not again so soon
        settings = IssuerSettings(issuer.url, ("skerry",), Mapped("sub"), authority=issuer.authority)
        now = [0.0]
        keys = IssuerKeys(settings, lambda: now[0])
        with pytest.raises(Unavailable, match="answers 503"):
            await keys.candidates("one")
        issuer.up, now[0] = True, 10.0
        assert len(await keys.candidates("one")) == 1
        await keys.close()


async def test_issuers_must_be_who_they_say() -> None:
    async with running_issuer() as issuer:
        issuer.called = "https://evil.example"
        settings = IssuerSettings(issuer.url, ("skerry",), Mapped("sub"), authority=issuer.authority)
        with pytest.raises(Unavailable, match="issuer did not match"):
            await IssuerKeys(settings).candidates("one")
        with pytest.raises(Unavailable, match="certificate verify failed"):
            await IssuerKeys(IssuerSettings(issuer.url, ("skerry",), Mapped("sub"))).candidates("one")


async def test_discovery_elsewhere(tmp_path: Path) -> None:
    async with running_issuer() as issuer:
        place = {"discoveryURL": f"{issuer.url}/elsewhere"}
        async with api_with(tmp_path, configuration(described(issuer, place=place))) as api:
            assert refused_user(await call(api, issuer.token())) == "lab:anna"


async def test_a_changed_file_counts_and_a_broken_one_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.engine.api.auth.authentication_file._LOOK_AGAIN", 0.0)
    async with running_issuer() as issuer, api_with(tmp_path, configuration(described(issuer))) as api:
        file = tmp_path / "authentication.yaml"
        assert refused_user(await call(api, issuer.token())) == "lab:anna"
        file.write_text("kind: Nonsense")
        assert refused_user(await call(api, issuer.token())) == "lab:anna"
        other = {"username": {"claim": "sub", "prefix": "new:"}}
        fresh = tmp_path / "fresh"
        fresh.write_text(configuration(described(issuer, other)))
        os.replace(fresh, file)
        assert refused_user(await call(api, issuer.token())) == "new:anna"


async def test_anonymous_users_may_be_shut_out(tmp_path: Path) -> None:
    async with api_with(tmp_path, configuration(anonymous={"enabled": False})) as api:
        assert (await send(api, "GET", "/livez", certificate=False)).code == 401
        assert (await send(api, "GET", "/livez")).code == 200


async def test_anonymous_users_may_be_let_in_to_some_paths(tmp_path: Path) -> None:
    anonymous = {"enabled": True, "conditions": [{"path": "/livez"}]}
    async with api_with(tmp_path, configuration(anonymous=anonymous)) as api:
        assert (await send(api, "GET", "/livez", certificate=False)).code == 200
        assert (await send(api, "GET", "/readyz", certificate=False)).code == 401


GOOD: Obj = {"issuer": {"url": "https://a.example", "audiences": ["x"]}, "claimMappings": BY_CLAIM}


def changed(part: str, **values: Any) -> Obj:
    return {**GOOD, part: {**GOOD.get(part, {}), **values}}


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (changed("issuer", url="http://a.example"), "URL scheme must be https"),
        (changed("issuer", url="https://u:p@a.example"), "must not contain a username or password"),
        (changed("issuer", url="https://kubernetes.default.svc.cluster.local"), "disallowed issuers"),
        (changed("issuer", audiences=[]), "at least one jwt"),
        (changed("issuer", audiences=["x", "y"]), "audienceMatchPolicy must be MatchAny for multiple audiences"),
        (changed("issuer", certificateAuthority="x"), "certificateAuthority"),
        (changed("issuer", discoveryURL="https://a.example/"), "discoveryURL must be different from URL"),
        (changed("issuer", colour="red"), 'unknown field "jwt[0].issuer.colour"'),
        (changed("claimMappings", username={}), "claim or expression is required"),
        (changed("claimMappings", username={"claim": "sub"}), "prefix is required when claim is set"),
        (changed("claimMappings", username={"claim": "a", "expression": "'x'"}), "can't both be set"),
        (changed("claimMappings", username={"expression": "claims."}), "compilation failed"),
        (
            changed("claimMappings", username={"expression": "claims.email"}),
            "claims.email_verified must be used in claimMappings.username.expression",
        ),
        (changed("claimMappings", extra=[{"key": "x", "valueExpression": "''"}]), "domain-prefixed path"),
        (changed("claimMappings", extra=[{"key": "k8s.io/x", "valueExpression": "''"}]), "reserved for Kubernetes"),
        ({**GOOD, "claimValidationRules": [{"expression": "'x'"}]}, "must evaluate to bool"),
        ({**GOOD, "claimValidationRules": [{}]}, "claim or expression is required"),
        ({**GOOD, "userValidationRules": [{"expression": "user.colour == 'red'"}]}, "compilation failed"),
    ],
)
async def test_wrong_configurations_stop_the_start(tmp_path: Path, entry: Obj, why: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        async with api_with(tmp_path, configuration(entry)):
            pass
    assert why in str(refused.value)


async def test_issuers_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Duplicate value"):
        async with api_with(tmp_path, configuration(GOOD, GOOD)):
            pass
    with pytest.raises(ConfigurationError, match="must be an AuthenticationConfiguration"):
        async with api_with(tmp_path, "{}"):
            pass
