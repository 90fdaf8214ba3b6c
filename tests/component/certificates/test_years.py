"""Years go by: certificates renew again and again, through time without power, and failures are tried again in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skerry.engine.controllers.certmanager.challenges import controller as challenges
from skerry.engine.definitions.certmanager import CERTIFICATE_REQUESTS, CERTIFICATES
from skerry.engine.store.sqlite import SqliteStore
from skerry.kube.clock import parse_time
from skerry.kube.conditions import condition_is_true
from skerry.kube.objects import Obj
from tests.component.certificates.answering import answering
from tests.component.certificates.limiting import limiting
from tests.component.certificates.test_acme import PROD, letsencrypt
from tests.component.certificates.test_authority import BUILT_IN, chain_of
from tests.component.certificates.world import World, running_certificates
from tests.support.clock import SetClock
from tests.support.pebble import pebble
from tests.support.waiting import until

DAY = 86400.0


async def is_good(world: World, clock: SetClock, name: str) -> Obj | None:
    """The Certificate, when nothing is to be done about it now."""
    found = await world.get(CERTIFICATES, name)
    if found is None or not condition_is_true(found, "Ready") or condition_is_true(found, "Issuing"):
        return None
    return found if parse_time(found["status"]["renewalTime"]) > clock.now() else None


async def pass_days(world: World, clock: SetClock, days: float, name: str = "web") -> Obj:
    """Time passes, and everybody looks at the clock; the Certificate when it is good again."""
    clock.advance(days * DAY)
    world.look()
    found = await until(lambda: is_good(world, clock, name), f"a good certificate at {clock.now()}")
    leaf = chain_of(await world.secret(name))[0]
    assert leaf.not_valid_before_utc <= clock.now() < leaf.not_valid_after_utc
    return found


async def test_two_years_with_a_hundred_days_without_power(tmp_path: Path) -> None:
    clock = SetClock(datetime(2026, 1, 1, tzinfo=UTC))
    database = tmp_path / "store.db"
    async with running_certificates(clock=clock, store=await SqliteStore.open(database), folder=tmp_path) as world:
        await world.certificate("web", dnsNames=["web.localhost"], issuerRef=BUILT_IN)
        await world.condition(CERTIFICATES, "web", "Ready")
        for _ in range(15):
            before = await pass_days(world, clock, 20)
        assert before["status"]["revision"] == 6  # every 60 days
    clock.advance(100 * DAY)
    async with running_certificates(clock=clock, store=await SqliteStore.open(database), folder=tmp_path) as world:
        after = await pass_days(world, clock, 0)
        assert after["status"]["revision"] == 7
        for _ in range(17):
            last = await pass_days(world, clock, 20)
        assert clock.now() > datetime(2027, 12, 25, tzinfo=UTC)
        assert last["status"]["revision"] >= 12
        assert len((await world.client.list(CERTIFICATE_REQUESTS)).items) == 1  # and nothing piles up


async def test_acme_certificates_are_renewed_with_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SetClock()
    with pebble(tmp_path) as server:
        monkeypatch.setattr(challenges, "HTTP_PORT", server.http_port)
        async with running_certificates(clock=clock) as world, answering(world, server.http_port):
            await letsencrypt(world, server)
            await world.certificate("web", dnsNames=["a.example.org"], issuerRef=PROD, renewBefore="1h")
            await world.condition(CERTIFICATES, "web", "Ready")
            first = chain_of(await world.secret("web"))[0]
            ends = first.not_valid_after_utc
            clock.advance((ends - clock.now() - timedelta(minutes=30)).total_seconds())
            world.look()

            async def renewed() -> bool:
                return chain_of(await world.secret("web"))[0].serial_number != first.serial_number

            await until(renewed, "another certificate")
            assert chain_of(await world.secret("web"))[0].public_key() != first.public_key()


async def attempts(world: World, name: str, number: int) -> Obj:
    """Wait until an issuance failed so many times."""

    async def failed() -> Obj | None:
        found = await world.get(CERTIFICATES, name)
        status = (found or {}).get("status") or {}
        return found if status.get("failedIssuanceAttempts") == number else None

    return await until(failed, f"{number} attempts")


async def look_again(world: World, clock: SetClock, hours: float) -> int:
    """Time passes; how often it was tried when everybody has looked."""
    clock.advance(hours * 3600)
    world.look()
    await world.settle((CERTIFICATES, "bad"))
    found = await world.client.get(CERTIFICATES, "bad", "default")
    assert condition_is_true(found, "Issuing") is False
    return int(found["status"]["failedIssuanceAttempts"])


async def test_failures_are_tried_again_after_an_hour_and_then_two(tmp_path: Path) -> None:
    clock = SetClock()
    with pebble(tmp_path) as server:
        async with running_certificates(clock=clock) as world:
            await letsencrypt(world, server)
            made = await world.certificate("bad", dnsNames=["under_score.example.org"], issuerRef=PROD)
            await attempts(world, "bad", 1)
            assert await look_again(world, clock, 0.9) == 1
            clock.advance(0.2 * 3600)
            world.look()
            await attempts(world, "bad", 2)
            assert await look_again(world, clock, 1.9) == 2
            # What is changed is tried at once.
            made = await world.client.get(CERTIFICATES, "bad", "default")
            await world.client.update(CERTIFICATES, {**made, "spec": {**made["spec"], "dnsNames": ["a_b.example.org"]}})
            await attempts(world, "bad", 3)


async def test_a_server_that_says_when_to_come_back_is_heeded() -> None:
    clock = SetClock()
    async with limiting(retry_after=5 * 3600) as server, running_certificates(clock=clock) as world:
        await letsencrypt(world, server)
        await world.certificate("bad", dnsNames=["a.example.org"], issuerRef=PROD)
        failed = await attempts(world, "bad", 1)
        message = next(one["message"] for one in failed["status"]["conditions"] if one["type"] == "Issuing")
        assert "rateLimited: too many certificates" in message
        assert server.orders == 1
        assert await look_again(world, clock, 4.9) == 1
        assert server.orders == 1
        clock.advance(0.2 * 3600)
        world.look()
        await attempts(world, "bad", 2)
        assert server.orders == 2
