"""Who asks for a host that cannot be had is told why, once; what others have stays as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from skerry.engine.controllers.dynamic_dns.hosts import CONTROLLER, HOSTNAME, PREFIX, TTL
from skerry.engine.definitions.domains import DOMAINS
from skerry.kube.resources import INGRESSES, NAMESPACES, SERVICES
from tests.component.dynamic_dns.world import World, running_domains
from tests.support.dns_servers import ZONE, Bind, DnsServerProcess, running
from tests.support.waiting import until

WEB = f"web.{ZONE}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServerProcess]:
    """Domains go at the end of each test, and their records with them."""
    with running(Bind(tmp_path_factory.mktemp("dns"))) as started:
        yield started


@pytest.fixture
async def world(server: DnsServerProcess) -> AsyncIterator[World]:
    async with running_domains() as started:
        for name in ("a", "b"):
            await started.client.create(NAMESPACES, {"metadata": {"name": name, "labels": {"team": name}}})
        yield started
        await started.withdraw()


async def test_a_host_out_of_every_domain_is_refused_with_the_reason(world: World, server: DnsServerProcess) -> None:
    await world.domain(server)
    await world.ingress("web", "web.example.net", "web.localhost", WEB)
    event = await world.event("OutOfDomain", "web.example.net is under none", "default")
    assert event["involvedObject"]["kind"] == "Ingress"
    assert ZONE in event["message"]
    await world.record(WEB)
    assert len(await world.messages("OutOfDomain")) == 1  # and names that resolvers know are no matter


async def test_without_a_domain_nobody_is_told_anything(world: World, server: DnsServerProcess) -> None:
    await world.ingress("web", "web.example.net")
    await world.domain(server, domain=f"only.{ZONE}")  # from here on, they are
    await world.event("OutOfDomain", "web.example.net")
    assert len(await world.messages("OutOfDomain")) == 1


async def test_the_first_to_have_a_host_keeps_it(world: World, server: DnsServerProcess) -> None:
    await world.domain(server)
    await world.ingress("late", "late.example.net", address="192.0.2.2", namespace="b")
    await world.ingress("web", WEB, address="192.0.2.1", namespace="a")
    await world.record(WEB)
    # the older Ingress asks for the host later than the other has it
    rules = [{"host": WEB, "http": (await world.client.get(INGRESSES, "web", "a"))["spec"]["rules"][0]["http"]}]
    await world.client.patch(INGRESSES, "late", {"spec": {"rules": rules}}, "b")
    event = await world.event("HostTaken", f"{WEB} already belongs to ingress a/web")
    assert event["involvedObject"]["namespace"] == "b"
    assert server.values(WEB) == ["192.0.2.1"]
    await world.client.delete(INGRESSES, "web", "a")
    await until(lambda: server.values(WEB) == ["192.0.2.2"])


async def test_objects_of_one_namespace_share_a_host(world: World, server: DnsServerProcess) -> None:
    await world.domain(server)
    await world.ingress("one", WEB, address="192.0.2.1", namespace="a")
    await world.record(WEB)
    await world.ingress("two", WEB, f"two.{ZONE}", address="192.0.2.2", namespace="a")
    await world.record(f"two.{ZONE}")
    assert server.values(WEB) == ["192.0.2.1"]
    await world.client.delete(INGRESSES, "one", "a")
    await until(lambda: server.values(WEB) == ["192.0.2.2"])
    assert await world.messages("HostTaken") == []


async def test_a_domain_may_be_for_some_namespaces(world: World, server: DnsServerProcess) -> None:
    await world.domain(server, namespaces=["default"], namespaceSelector={"matchLabels": {"team": "a"}})
    await world.ingress("web", WEB, namespace="a")
    await world.ingress("web", f"b.{ZONE}", namespace="b")
    await world.record(WEB)
    await world.event("DomainNotAllowed", "is not for namespace b", "b")
    assert await world.listed() == [WEB]
    await world.client.patch(NAMESPACES, "b", {"metadata": {"labels": {"team": "a"}}})
    await world.record(f"b.{ZONE}")


async def test_annotations_that_mean_nothing_here_are_named(world: World, server: DnsServerProcess) -> None:
    await world.domain(server)
    await world.ingress("web", WEB)
    await world.annotate(INGRESSES, "web", f"{PREFIX}cloudflare-proxied", "true", "default")
    await world.annotate(INGRESSES, "web", TTL, "soon", "default")
    await world.event("UnknownAnnotation", "cloudflare-proxied", "default")
    await world.event("InvalidTTL", "'soon'", "default")
    await world.client.create(
        SERVICES,
        {"metadata": {"name": "inner", "annotations": {HOSTNAME: WEB}}, "spec": {"ports": [{"port": 80}]}},
        "default",
    )
    await world.event("UnsupportedService", "ClusterIP", "default")


async def test_what_is_meant_for_another_controller_is_left_to_it(world: World, server: DnsServerProcess) -> None:
    await world.domain(server)
    await world.ingress("web", WEB)
    await world.record(WEB)
    await world.annotate(INGRESSES, "web", CONTROLLER, "external", "default")
    await until(lambda: not server.values(WEB))


async def test_targets_of_a_domain_stand_for_addresses_of_ingresses(world: World, server: DnsServerProcess) -> None:
    """As a router in front of the cluster needs it."""
    await world.domain(server, targets=["203.0.113.5"])
    await world.ingress("web", WEB, address="10.0.0.5")
    await world.service("git", {HOSTNAME: f"git.{ZONE}"})
    await world.record(WEB)
    await world.record(f"git.{ZONE}")
    assert server.values(WEB) == ["203.0.113.5"]
    assert server.values(f"git.{ZONE}") == ["192.0.2.50"]
    await world.client.patch(DOMAINS, "dyn", {"spec": {"targets": ["front.example.net"]}})
    await until(lambda: server.values(WEB, "CNAME") == ["front.example.net."])


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"domain": "example.net"}, "is not in spec.zone"),
        ({"server": "ns:port"}, "is no host, host:port"),
        ({"targets": ["1.2.3"]}, "neither an address nor a name"),
    ],
)
async def test_a_spec_that_makes_no_sense_is_the_reason(
    world: World, server: DnsServerProcess, spec: dict[str, object], words: str
) -> None:
    await world.domain(server, **spec)
    await world.ready("InvalidSpec", words=words)


async def test_an_algorithm_that_is_not_known_is_the_reason(world: World, server: DnsServerProcess) -> None:
    reference = {"namespace": "kube-system", "name": "tsig"}
    await world.domain(server, tsig={"keyName": "skerry", "algorithm": "gss-tsig", "secretRef": reference})
    await world.ready("SecretInvalid", words="gss-tsig")
