"""Records of Ingresses and Services on a real server: they come, change and go, and nobody else's are touched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from skerry.engine.controllers.dynamic_dns import updating
from skerry.engine.controllers.dynamic_dns.hosts import HOSTNAME, TARGET, TTL
from skerry.engine.controllers.dynamic_dns.updating import RecordSet
from skerry.engine.definitions.domains import DOMAINS
from skerry.kube.errors import Invalid, NotFound
from skerry.kube.resources import INGRESSES, SECRETS, SERVICES
from tests.component.dynamic_dns.world import OWNER, World, running_domains
from tests.support.dns_servers import KEY, OTHER_SECRET, ZONE, Bind, DnsServerProcess, PowerDns, running
from tests.support.waiting import until, until_raises

WEB = f"web.{ZONE}"


@pytest.fixture(params=[Bind, PowerDns])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServerProcess]:
    with running(request.param(tmp_path_factory.mktemp("dns"))) as started:
        yield started


@pytest.fixture
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServerProcess]:
    """For what does not depend on the server."""
    with running(Bind(tmp_path_factory.mktemp("dns"))) as started:
        yield started


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running_domains() as started:
        yield started


async def test_records_follow_an_ingress(server: DnsServerProcess, world: World) -> None:
    await world.domain(server)
    await world.ready()
    await world.ingress("web", WEB, f"*.apps.{ZONE}")
    await world.record(WEB)
    assert server.values(WEB) == ["192.0.2.1"]
    mark = f'"heritage=external-dns,external-dns/owner={OWNER},external-dns/resource=ingress/default/web"'
    assert server.values(f"a-{WEB}", "TXT") == [mark]
    await until(lambda: server.values(f"anything.apps.{ZONE}") == ["192.0.2.1"])
    await world.event("DNSPublished", f"{WEB} leads to 192.0.2.1")

    await world.reached(INGRESSES, "web", "192.0.2.2", "2001:db8::2")
    await until(lambda: server.values(WEB) == ["192.0.2.2"])
    assert server.values(WEB, "AAAA") == ["2001:db8::2"]

    await world.client.delete(INGRESSES, "web", "default")
    await until(lambda: not server.values(WEB))
    await until(lambda: not server.values(f"anything.apps.{ZONE}"))
    assert server.values(f"a-{WEB}", "TXT") == server.values(f"aaaa-{WEB}", "TXT") == []
    await world.ready(words="none yet")
    assert await world.listed() == []


async def test_an_ingress_without_an_address_has_no_record(bind: DnsServerProcess, world: World) -> None:
    await world.domain(bind)
    await world.ingress("web", WEB, address="")
    await world.ingress("other", f"other.{ZONE}")
    await world.record(f"other.{ZONE}")
    assert await world.listed() == [f"other.{ZONE}"]
    await world.reached(INGRESSES, "web", "192.0.2.9")
    await world.record(WEB)
    assert bind.values(WEB) == ["192.0.2.9"]


async def test_services_name_their_hosts_in_an_annotation(server: DnsServerProcess, world: World) -> None:
    await world.domain(server)
    git = f"git.{ZONE}"
    await world.service("git", {HOSTNAME: f"{git}, {WEB}.", TTL: "2m"})
    await world.record(git)
    await world.record(WEB)
    assert server.values(git) == server.values(WEB) == ["192.0.2.50"]
    assert server.ttl(git) == 120
    await world.annotate(SERVICES, "git", TARGET, "elsewhere.example.net", "default")
    await until(lambda: server.values(git, "CNAME") == ["elsewhere.example.net."])
    assert server.values(git) == []
    await world.annotate(SERVICES, "git", HOSTNAME, WEB, "default")
    await until(lambda: not server.values(git, "CNAME"))
    assert server.values(f"cname-{git}", "TXT") == []


async def test_a_record_that_is_not_ours_is_never_touched(server: DnsServerProcess, world: World) -> None:
    theirs, mail, marked = f"theirs.{ZONE}", f"mail.{ZONE}", f"marked.{ZONE}"
    text = "heritage=external-dns,external-dns/owner=somebody,external-dns/resource=ingress/a/b"
    await updating.replace(server.target, RecordSet(f"a-{marked}", "TXT", [text], 60))
    before = server.serial()
    await world.domain(server)
    await world.ingress("web", theirs, mail, marked)
    assert "bear no mark" in (await world.record(theirs, "Refused"))["message"]
    await world.record(mail, "Refused")
    assert "owner somebody" in (await world.record(marked, "Refused"))["message"]
    await world.event("DNSRefused", theirs, "default")
    await world.ready(words="3 refused")
    await world.client.delete(INGRESSES, "web", "default")
    await world.ready(words="none yet")
    assert server.values(theirs) == ["192.0.2.99"]
    assert server.serial() == before


async def test_a_name_that_becomes_free_is_taken_when_the_domain_is_looked_at(
    bind: DnsServerProcess, world: World
) -> None:
    theirs = f"theirs.{ZONE}"
    await world.domain(bind)
    await world.ingress("web", theirs)
    await world.record(theirs, "Refused")
    await updating.remove(bind.target, RecordSet(theirs, "A"))
    await world.annotate(DOMAINS, "dyn", "example.org/look", "again")
    await world.record(theirs)
    assert bind.values(theirs) == ["192.0.2.1"]


async def test_what_somebody_changed_by_hand_is_put_right_if_it_is_still_marked(
    server: DnsServerProcess, world: World
) -> None:
    await world.domain(server)
    await world.ingress("web", WEB)
    await world.record(WEB)
    await updating.replace(server.target, RecordSet(WEB, "A", ["198.51.100.1"], 60))
    await world.annotate(DOMAINS, "dyn", "example.org/look", "again")
    await until(lambda: server.values(WEB) == ["192.0.2.1"])


async def test_the_top_of_the_zone_can_be_a_host(server: DnsServerProcess, world: World) -> None:
    await world.domain(server)
    await world.ingress("web", ZONE)
    await world.record(ZONE)
    assert server.values(ZONE) == ["192.0.2.1"]
    assert len(server.values(f"a-.{ZONE}", "TXT")) == 1
    assert server.values(ZONE, "NS")
    await world.client.delete(INGRESSES, "web", "default")
    await until(lambda: not server.values(ZONE))
    assert server.values(ZONE, "SOA")


async def test_a_wrong_key_is_the_reason_until_it_is_right(server: DnsServerProcess, world: World) -> None:
    await world.key(OTHER_SECRET)
    await world.domain(server)
    await world.ingress("web", WEB)

    async def refused() -> bool:
        conditions = (await world.client.get(DOMAINS, "dyn"))["status"]["conditions"]
        return conditions[0]["reason"] in {"BadSignature", "Refused", "NotAuthoritative"}

    await until(refused)
    assert OTHER_SECRET not in str(await world.client.get(DOMAINS, "dyn"))
    await world.key()
    await world.record(WEB)
    await world.ready()
    assert server.values(WEB) == ["192.0.2.1"]


async def test_a_name_that_the_server_does_not_let_us_change_is_refused_alone(tmp_path: Path, world: World) -> None:
    """A tenant who asks for one must not make the whole Domain unready."""
    policy = f"""
key "{KEY.name}" {{ algorithm {KEY.algorithm}; secret "{KEY.secret}"; }};
zone "{ZONE}" {{
  type primary; file "{tmp_path}/{ZONE}";
  update-policy {{ deny {KEY.name} subdomain vip.{ZONE} ANY; grant {KEY.name} zonesub ANY; }};
}};
"""
    with running(Bind(tmp_path, ZONE, policy)) as server:
        await world.domain(server)
        await world.ingress("web", f"www.vip.{ZONE}", WEB)
        assert "refuses this" in (await world.record(f"www.vip.{ZONE}", "Refused"))["message"]
        await world.record(WEB)
        await world.ready(words="1 published, 1 refused")
        await world.client.delete(INGRESSES, "web", "default")
        await world.ready(words="none yet")


async def test_a_key_that_may_change_nothing_is_found_before_anybody_asks(tmp_path: Path, world: World) -> None:
    policy = f"""
key "{KEY.name}" {{ algorithm {KEY.algorithm}; secret "{KEY.secret}"; }};
zone "{ZONE}" {{ type primary; file "{tmp_path}/{ZONE}"; update-policy {{ deny {KEY.name} zonesub ANY; }}; }};
"""
    with running(Bind(tmp_path, ZONE, policy)) as server:
        await world.domain(server)
        await world.ready("Refused", words="the key may not change")


async def test_a_missing_secret_is_named(bind: DnsServerProcess, world: World) -> None:
    reference = {"namespace": "default", "name": "nowhere"}
    await world.domain(bind, tsig={"keyName": "skerry", "secretRef": reference})
    await world.ready("SecretNotFound", words="default/nowhere")


async def test_a_server_that_was_down_gets_what_it_missed(bind: DnsServerProcess, world: World) -> None:
    await world.domain(bind)
    await world.ingress("web", WEB)
    await world.ingress("old", f"old.{ZONE}")
    await world.record(WEB)
    await world.record(f"old.{ZONE}")
    bind.stop()
    await world.ingress("new", f"new.{ZONE}")
    await world.client.delete(INGRESSES, "old", "default")
    await world.ready("Unreachable", words="no connection")
    bind.start()
    await world.record(f"new.{ZONE}")
    await until(lambda: not bind.values(f"old.{ZONE}"))
    await world.ready()
    assert bind.values(f"new.{ZONE}") == bind.values(WEB) == ["192.0.2.1"]


async def test_what_went_while_the_engine_was_down_is_withdrawn(server: DnsServerProcess, world: World) -> None:
    await world.domain(server)
    await world.ingress("web", WEB)
    await world.ingress("stays", f"stays.{ZONE}")
    await world.record(WEB)
    await world.record(f"stays.{ZONE}")
    await world.stop()
    await world.client.delete(INGRESSES, "web", "default")
    await world.reached(INGRESSES, "stays", "192.0.2.77")
    await world.start()
    await until(lambda: not server.values(WEB))
    await until(lambda: server.values(f"stays.{ZONE}") == ["192.0.2.77"])


async def test_what_was_published_by_an_engine_that_died_before_it_could_say_so_is_withdrawn(
    server: DnsServerProcess, world: World
) -> None:
    """All it had written was that it would."""
    await world.domain(server)
    await world.ingress("web", WEB)
    await world.record(WEB)
    await world.stop()
    records = (await world.client.get(DOMAINS, "dyn"))["status"]["records"]
    before = {"status": {"records": [{**record, "state": "Pending"} for record in records]}}
    await world.client.patch(DOMAINS, "dyn", before, subresource="status")
    await world.client.delete(INGRESSES, "web", "default")
    await world.start()
    await until(lambda: not server.values(WEB))
    await world.ready(words="none yet")


async def test_a_restart_touches_nothing_that_is_right(bind: DnsServerProcess, world: World) -> None:
    await world.domain(bind)
    await world.ingress("web", WEB)
    await world.record(WEB)
    before = bind.serial()
    await world.stop()
    await world.ingress("new", f"new.{ZONE}")
    await world.start()
    await world.record(f"new.{ZONE}")
    assert bind.serial() == before + 1


async def test_a_domain_that_goes_takes_its_records_along(server: DnsServerProcess, world: World) -> None:
    """Its Secret may go first, as `kubectl delete -f` has it."""
    await world.domain(server)
    await world.ingress("web", WEB)
    await world.record(WEB)
    await world.client.delete(SECRETS, "tsig", "kube-system")
    await world.client.delete(DOMAINS, "dyn")
    await until_raises(NotFound, lambda: world.client.get(DOMAINS, "dyn"))
    assert server.values(WEB) == server.values(f"a-{WEB}", "TXT") == []


async def test_hundreds_of_hosts_are_done_in_batches(bind: DnsServerProcess, world: World) -> None:
    hosts = [f"app-{number}.{ZONE}" for number in range(450)]
    await world.domain(bind)
    await world.ingress("many", *hosts)
    await world.ready(words="450 published")
    assert all(bind.values(host) == ["192.0.2.1"] for host in hosts[::45])
    await world.client.delete(INGRESSES, "many", "default")
    await world.ready(words="none yet")
    assert bind.values(hosts[0]) == bind.values(hosts[-1]) == []


async def test_what_is_published_cannot_be_forgotten_by_a_change_of_the_domain(
    bind: DnsServerProcess, world: World
) -> None:
    await world.domain(bind)
    for field in ("domain", "zone", "owner"):
        with pytest.raises(Invalid, match="make another Domain"):
            await world.client.patch(DOMAINS, "dyn", {"spec": {field: f"other.{ZONE}"}})


async def test_a_narrower_domain_takes_its_hosts_over(bind: DnsServerProcess, world: World) -> None:
    host = f"one.apps.{ZONE}"
    await world.domain(bind)
    await world.ingress("web", host)
    await world.record(host)
    await world.domain(bind, "apps", domain=f"apps.{ZONE}", ttl=77)
    await world.record(host, name="apps")
    await world.ready(words="none yet")
    assert bind.ttl(host) == 77
    await world.client.delete(DOMAINS, "apps")
    await world.record(host)
    await until(lambda: bind.values(host) == ["192.0.2.1"])


async def test_a_second_domain_of_the_same_name_waits(bind: DnsServerProcess, world: World) -> None:
    await world.domain(bind)
    await world.ready()
    await world.domain(bind, "second")
    await world.ready("DomainTaken", "second", "Domain dyn is older")
