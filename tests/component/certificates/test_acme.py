"""Certificates of a real ACME server: accounts, HTTP-01, DNS-01 by a real BIND, what servers refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.engine.controllers.certmanager.challenges import controller as challenges
from skerry.engine.definitions.acme import CHALLENGES, ORDERS
from skerry.engine.definitions.certmanager import CERTIFICATES, CLUSTER_ISSUERS, ISSUERS
from skerry.kube.objects import Obj
from skerry.kube.resources import SECRETS
from tests.component.certificates.answering import answering
from tests.component.certificates.limiting import Limiting
from tests.component.certificates.test_authority import chain_of, names_of
from tests.component.certificates.world import World, running_certificates
from tests.support.dns_servers import KEY, ZONE, Bind, running
from tests.support.pebble import EXTERNAL_KEY, Pebble, pebble
from tests.support.waiting import until

HTTP01 = {"http01": {"ingress": {"ingressClassName": "nginx"}}}
PROD = {"name": "letsencrypt-prod", "kind": "ClusterIssuer"}


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pebble]:
    with pebble(tmp_path) as server:
        monkeypatch.setattr(challenges, "HTTP_PORT", server.http_port)
        yield server


async def letsencrypt(world: World, server: Pebble | Limiting, *solvers: Obj, **more: object) -> Obj:
    """A ClusterIssuer as Let's Encrypt's users have it, that leads to pebble."""
    acme = {
        "server": server.directory,
        "email": "ops@example.org",
        "caBundle": server.bundle,
        "privateKeySecretRef": {"name": "letsencrypt-prod"},
        "solvers": list(solvers) or [HTTP01],
        **more,
    }
    noted = {"skerry.dev/nameservers": server.nameserver}
    await world.create(CLUSTER_ISSUERS, PROD["name"], {"acme": acme}, annotations=noted)
    return await world.condition(CLUSTER_ISSUERS, PROD["name"], "Ready", reason="ACMEAccountRegistered")


async def test_http01(acme: Pebble) -> None:
    async with running_certificates() as world, answering(world, acme.http_port) as asked:
        issuer = await letsencrypt(world, acme)
        assert issuer["status"]["acme"]["uri"].startswith("https://127.0.0.1")
        assert await world.get(SECRETS, "letsencrypt-prod", "kube-system")
        await world.certificate("site", dnsNames=["a.example.org", "b.example.org"], issuerRef=PROD)
        await world.condition(CERTIFICATES, "site", "Ready")
        secret = await world.secret("site")
        chain = chain_of(secret)
        assert sorted(names_of(chain[0])) == ["a.example.org", "b.example.org"]
        chain[0].verify_directly_issued_by(chain[1])
        assert len(asked) >= 4  # by ourselves and by pebble, for each name
        await until(lambda: _no_challenges(world), "challenges are gone")


async def _no_challenges(world: World) -> bool:
    return not (await world.client.list(CHALLENGES)).items


async def test_dns01_by_bind(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "pebble").mkdir()
    with running(Bind(tmp_path / "named")) as named, pebble(tmp_path / "pebble", dns_port=named.port) as server:
        async with running_certificates() as world:
            secret = {"metadata": {"name": "tsig"}, "stringData": {"secret": KEY.secret}}
            await world.client.create(SECRETS, secret, "kube-system")
            settings = {
                "nameserver": f"{named.address}:{named.port}",
                "tsigKeyName": KEY.name,
                "tsigAlgorithm": "HMACSHA256",
                "tsigSecretSecretRef": {"name": "tsig", "key": "secret"},
            }
            await letsencrypt(world, server, HTTP01, {"selector": {"dnsZones": [ZONE]}, "dns01": {"rfc2136": settings}})
            await world.certificate("wild", dnsNames=[f"*.{ZONE}", ZONE], issuerRef=PROD)
            await world.condition(CERTIFICATES, "wild", "Ready")
            assert sorted(names_of(chain_of(await world.secret("wild"))[0])) == [f"*.{ZONE}", ZONE]
            await until(lambda: _no_challenges(world), "challenges are gone")
            assert named.values(f"_acme-challenge.{ZONE}", "TXT") == []


async def test_an_account_known_to_the_operator(tmp_path: Path) -> None:
    with pebble(tmp_path, settings={"EAB": "1"}) as server:
        async with running_certificates() as world:
            secret = {"metadata": {"name": "eab"}, "stringData": {"key": EXTERNAL_KEY}}
            await world.client.create(SECRETS, secret, "kube-system")
            binding = {"keyID": "kid-1", "keySecretRef": {"name": "eab", "key": "key"}}
            await letsencrypt(world, server, externalAccountBinding=binding)


async def test_what_the_server_refuses_is_told_and_not_tried_again_at_once(acme: Pebble) -> None:
    async with running_certificates() as world, answering(world, acme.http_port):
        await letsencrypt(world, acme)
        await world.certificate("bad", dnsNames=["under_score.example.org"], issuerRef=PROD)
        failed = await world.condition(CERTIFICATES, "bad", "Issuing", "False", "Failed")
        assert failed["status"]["failedIssuanceAttempts"] == 1
        assert "illegal character: '_'" in await world.event("Failed", "malformed")
        orders = (await world.client.list(ORDERS)).items
        assert [one["status"]["state"] for one in orders] == ["errored"]


async def test_an_answer_that_is_not_there_is_waited_for(acme: Pebble) -> None:
    async with running_certificates() as world:
        await letsencrypt(world, acme)
        await world.certificate("site", dnsNames=["a.example.org"], issuerRef=PROD)

        async def waits() -> bool:
            found = (await world.client.list(CHALLENGES)).items
            return any("Waiting for the Ingress" in one["status"].get("reason", "") for one in found)

        await until(waits, "a reason")
        async with answering(world, acme.http_port):
            await world.condition(CERTIFICATES, "site", "Ready")


async def test_servers_that_are_not_there_and_issuers_that_are_not_supported() -> None:
    async with running_certificates() as world:
        acme = {"server": "https://127.0.0.1:1/dir", "privateKeySecretRef": {"name": "key"}, "solvers": [HTTP01]}
        await world.create(ISSUERS, "gone", {"acme": acme})
        await world.condition(ISSUERS, "gone", "Ready", "False", "ErrRegisterACMEAccount")
        await world.create(ISSUERS, "vault", {"vault": {"server": "https://vault.example.org"}})
        told = await world.condition(ISSUERS, "vault", "Ready", "False", "Unsupported")
        assert "vault are not supported" in told["status"]["conditions"][0]["message"]
        cloud = {**acme, "solvers": [{"dns01": {"route53": {"region": "eu-west-1"}}}]}
        await world.create(ISSUERS, "cloud", {"acme": cloud})
        told = await world.condition(ISSUERS, "cloud", "Ready", "False", "Unsupported")
        assert "route53" in told["status"]["conditions"][0]["message"]
