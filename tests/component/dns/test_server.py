"""The DNS server over real sockets, asked by an independent client; the machine's resolver is one of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import pytest

from skerry.engine.network.dns.answering import Answering
from skerry.engine.network.dns.directory import ClusterDirectory
from skerry.engine.network.dns.server import DnsServer
from skerry.engine.network.dns.zone import Zone
from skerry.kube.informer import Informers
from skerry.kube.resources import ENDPOINT_SLICES, NAMESPACES, SERVICES
from tests.component.dns.upstream_server import Resolver, resolver
from tests.support.collections import Collections
from tests.unit.dns.objects import DOMAIN, SERVER, alias, endpoint, headless, piece, service

OWN = [IPv4Network("10.64.0.0/16"), IPv4Network("10.65.0.0/16")]
WEB = "web.default.svc.cluster.local."


@dataclass
class World:
    """A server on `port` for the objects in `objects`, with `upstream` as the machine's only resolver."""

    objects: Collections
    upstream: Resolver
    resolv_conf: Path
    port: int

    async def ask(self, name: str, kind: str = "A", *, tcp: bool = False, **more: Any) -> dns.message.Message:
        query = dns.message.make_query(name, kind, **more)
        return await self.send(query, tcp=tcp)

    async def send(self, query: dns.message.Message, *, tcp: bool = False) -> dns.message.Message:
        how = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
        return await how(query, "127.0.0.1", port=self.port, timeout=60)

    async def values(self, name: str, kind: str = "A", **more: Any) -> list[str]:
        reply = await self.ask(name, kind, **more)
        return sorted(data.to_text() for one in reply.answer for data in one)

    async def until(self, name: str, wanted: list[str]) -> None:
        """Ask until this is the answer: changes travel by the event loop."""
        async with asyncio.timeout(60):
            while await self.values(name) != wanted:
                await asyncio.sleep(0.005)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    objects = Collections()
    objects.put(NAMESPACES, {"metadata": {"name": "default"}})
    objects.put(SERVICES, service())
    informers = Informers(objects)  # type: ignore[arg-type]  # only lists and watches are needed
    directory = ClusterDirectory(informers)
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text("nameserver 127.0.0.1\n")
    async with resolver() as upstream:
        answering = Answering(Zone(DOMAIN, (SERVER,), directory), OWN, resolv_conf, upstream.port)
        directory.on_change(answering.changed)
        await informers.start()
        server = DnsServer(answering)
        port = await server.start("127.0.0.1", 0)
        yield World(objects, upstream, resolv_conf, port)
        await server.close()
        await answering.close()
        await informers.close()


@pytest.mark.parametrize("tcp", [False, True])
async def test_names_of_services(world: World, tcp: bool) -> None:
    reply = await world.ask(WEB, tcp=tcp)
    assert [one.to_text() for one in reply.answer] == [f"{WEB} 5 IN A 10.65.0.20"]
    assert reply.flags & dns.flags.AA
    assert reply.flags & dns.flags.RA


async def test_the_case_of_a_question_is_given_back(world: World) -> None:
    reply = await world.ask("WEB.Default.svc.cluster.LOCAL.")
    assert str(reply.question[0].name) == "WEB.Default.svc.cluster.LOCAL."
    assert str(reply.answer[0][0]) == "10.65.0.20"


async def test_nothing_is_told_from_nobody(world: World) -> None:
    empty, nobody = await world.ask(WEB, "AAAA"), await world.ask("nobody.default.svc.cluster.local.")
    assert (empty.rcode(), nobody.rcode()) == (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    for reply in (empty, nobody):
        assert reply.authority[0].to_text().startswith("cluster.local. 5 IN SOA ")
        assert reply.authority[0][0].minimum == 5


async def test_a_change_is_answered_at_once(world: World) -> None:
    for _ in range(2):  # the second time from memory
        assert await world.values(WEB) == ["10.65.0.20"]
    world.objects.put(SERVICES, service(address="10.65.0.21"))
    await world.until(WEB, ["10.65.0.21"])
    world.objects.remove(SERVICES, "web")
    await world.until(WEB, [])
    world.objects.put(SERVICES, service())
    await world.until(WEB, ["10.65.0.20"])


async def test_endpoints_come_and_go(world: World) -> None:
    name = "peers.default.svc.cluster.local."
    assert await world.values(name) == []
    world.objects.put(SERVICES, headless())
    world.objects.put(ENDPOINT_SLICES, piece(endpoint("10.64.0.5"), endpoint("10.64.0.6")))
    await world.until(name, ["10.64.0.5", "10.64.0.6"])
    world.objects.put(ENDPOINT_SLICES, piece(endpoint("10.64.0.6")))
    await world.until(name, ["10.64.0.6"])


async def test_a_namespace_comes_and_goes(world: World) -> None:
    assert (await world.ask("late.svc.cluster.local.")).rcode() == dns.rcode.NXDOMAIN
    world.objects.put(NAMESPACES, {"metadata": {"name": "late"}})
    await world.until("10-64-0-5.late.pod.cluster.local.", ["10.64.0.5"])
    assert (await world.ask("late.svc.cluster.local.")).rcode() == dns.rcode.NOERROR


async def test_addresses_lead_back_to_names(world: World) -> None:
    for _ in range(2):
        assert await world.values("20.0.65.10.in-addr.arpa.", "PTR") == [WEB]
    assert (await world.ask("99.0.65.10.in-addr.arpa.", "PTR")).rcode() == dns.rcode.NXDOMAIN
    assert world.upstream.asked == []


async def fill(world: World, endpoints: int) -> str:
    """A headless service with so many endpoints; its name."""
    addresses = [f"10.64.{number // 250}.{number % 250 + 1}" for number in range(endpoints)]
    world.objects.put(SERVICES, headless())
    world.objects.put(ENDPOINT_SLICES, piece(*map(endpoint, addresses)))
    await world.until("10-64-0-1.peers.default.svc.cluster.local.", ["10.64.0.1"])
    return "peers.default.svc.cluster.local."


async def test_a_large_answer_is_cut_for_datagrams_and_whole_by_stream(world: World) -> None:
    name = await fill(world, 1000)
    plain = await world.ask(name)
    assert plain.flags & dns.flags.TC
    assert len(plain.to_wire()) <= 512
    assert len(plain.answer[0]) > 20, "resolvers that never use TCP live by what fits"
    larger = await world.ask(name, use_edns=0, payload=1400)
    assert 512 < len(larger.to_wire()) <= 1400
    whole = await world.ask(name, tcp=True)
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer[0]) == 1000
    ports = await world.ask(f"_http._tcp.{name}", "SRV", tcp=True)
    assert len(ports.answer[0]) == 1000


async def test_clients_are_spread_over_endpoints(world: World) -> None:
    name = await fill(world, 8)
    first = {(await world.ask(name)).answer[0][0].to_text() for _ in range(40)}
    assert len(first) > 1


async def test_other_names_are_asked_of_the_machines_resolver(world: World) -> None:
    world.upstream.records["www.example.org.", "A"] = ["192.0.2.7"]
    assert await world.values("www.example.org.") == ["192.0.2.7"]
    assert await world.values("www.example.org.", use_edns=0) == ["192.0.2.7"]
    assert await world.values("WWW.example.org.", tcp=True) == ["192.0.2.7"]
    assert len(world.upstream.asked) == 1, "kept as long as it may be"
    denied = await world.ask("none.example.org.")
    assert denied.rcode() == dns.rcode.NXDOMAIN
    assert denied.authority


@pytest.mark.parametrize("name", ["localhost.", "web.team.localhost."])
async def test_localhost_is_the_asking_machine_and_nobody_is_asked(world: World, name: str) -> None:
    assert await world.values(name) == ["127.0.0.1"]
    assert await world.values(name, "AAAA") == ["::1"]
    reply = await world.ask(name, "MX")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])
    assert world.upstream.asked == []


async def test_a_resolver_whose_datagrams_are_too_small_is_asked_by_stream(world: World) -> None:
    world.upstream.cut = True
    world.upstream.records["long.example.org.", "TXT"] = ['"' + "x" * 200 + '"'] * 1
    assert await world.values("long.example.org.", "TXT") == ['"' + "x" * 200 + '"']
    assert world.upstream.asked_by_stream == ["long.example.org."]


async def test_a_resolver_older_than_edns_is_asked_without(world: World) -> None:
    world.upstream.old = True
    world.upstream.records["www.example.org.", "A"] = ["192.0.2.7"]
    assert await world.values("www.example.org.", use_edns=0) == ["192.0.2.7"]


async def test_an_external_name_is_followed(world: World) -> None:
    world.upstream.records["www.example.org.", "A"] = ["192.0.2.7"]
    world.objects.put(SERVICES, alias("outside", "www.example.org"))
    world.objects.put(SERVICES, alias("inside", WEB.rstrip(".")))
    world.objects.put(SERVICES, alias("circle", "circle.default.svc.cluster.local"))
    await world.until("outside.default.svc.cluster.local.", ["192.0.2.7", "www.example.org."])
    await world.until("inside.default.svc.cluster.local.", ["10.65.0.20", WEB])
    assert await world.values("outside.default.svc.cluster.local.", "CNAME") == ["www.example.org."]
    assert (await world.ask("circle.default.svc.cluster.local.")).rcode() == dns.rcode.SERVFAIL
    dead = await world.ask("inside.default.svc.cluster.local.", "AAAA")
    assert dead.rcode() == dns.rcode.NOERROR


async def test_nobody_outside_leads_to_addresses_of_the_cluster(world: World) -> None:
    world.upstream.records["rebound.example.org.", "A"] = ["10.65.0.7"]
    world.upstream.records["honest.example.org.", "A"] = ["192.0.2.7"]
    world.objects.put(SERVICES, alias("out", "rebound.example.org"))
    assert await world.values("rebound.example.org.") == []
    assert await world.values("honest.example.org.") == ["192.0.2.7"]
    await world.until("out.default.svc.cluster.local.", ["rebound.example.org."])


async def test_no_resolver_means_failure_at_once(world: World) -> None:
    world.resolv_conf.write_text("nameserver 10.65.0.10\n# that is ourselves\n")
    assert (await world.ask("www.example.org.")).rcode() == dns.rcode.SERVFAIL
    assert world.upstream.asked == []
    world.resolv_conf.unlink()
    assert (await world.ask("www.example.net.")).rcode() == dns.rcode.SERVFAIL


async def test_a_silent_resolver_is_left_alone_for_a_while(world: World) -> None:
    world.upstream.silent = True
    for number in range(3):
        assert (await world.ask(f"{number}.example.org.")).rcode() == dns.rcode.SERVFAIL
    # Left alone after three silences in a row: far fewer questions than two for each name and client.
    assert len(world.upstream.asked) <= 5


async def test_one_question_of_many_clients_is_asked_once(world: World) -> None:
    world.upstream.silent = True
    replies = await asyncio.gather(*(world.ask("same.example.org.") for _ in range(20)))
    assert {reply.rcode() for reply in replies} == {dns.rcode.SERVFAIL}
    assert len(world.upstream.asked) <= 4


async def raw(world: World, data: bytes) -> bytes:
    """What comes back for these bytes."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", world.port))
        await loop.sock_sendall(client, data)
        async with asyncio.timeout(60):
            return await loop.sock_recv(client, 4096)


async def test_bad_questions_are_refused_by_name(world: World) -> None:
    good = dns.message.make_query(WEB, "A")
    notify = dns.message.make_query(WEB, "SOA")
    notify.flags |= 4 << 11
    assert (await world.send(notify)).rcode() == dns.rcode.NOTIMP
    assert (await world.ask(WEB, "AXFR")).rcode() == dns.rcode.REFUSED
    assert (await world.send(dns.message.make_query(WEB, "A", rdclass="CH"))).rcode() == dns.rcode.REFUSED
    assert (await world.send(dns.message.make_query(WEB, "A", use_edns=1))).rcode() == dns.rcode.BADVERS
    assert (await raw(world, good.to_wire()[:20]))[3] & 15 == dns.rcode.FORMERR
    two = bytearray(good.to_wire())
    two[5] = 2
    assert (await raw(world, bytes(two)))[3] & 15 == dns.rcode.FORMERR


async def test_answers_and_rubbish_get_no_answer(world: World) -> None:
    """The next question is answered all the same, and by its own answer."""
    good = dns.message.make_query(WEB, "A")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", world.port))
        for rubbish in (b"", b"x", b"\x00" * 11, dns.message.make_response(good).to_wire()):
            with contextlib.suppress(OSError):
                await loop.sock_sendall(client, rubbish)
        await loop.sock_sendall(client, good.to_wire())
        async with asyncio.timeout(60):
            assert good.is_response(dns.message.from_wire(await loop.sock_recv(client, 4096)))


async def test_several_questions_in_one_connection(world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    queries = [dns.message.make_query(WEB, kind) for kind in ("A", "AAAA", "A")]
    for query in queries:
        writer.write(query.to_wire(prepend_length=True))
    for query in queries:
        async with asyncio.timeout(60):
            length = int.from_bytes(await reader.readexactly(2), "big")
            assert query.is_response(dns.message.from_wire(await reader.readexactly(length)))
    writer.close()
    await writer.wait_closed()


async def test_under_load_every_answer_is_right_and_changes_are_seen(world: World) -> None:
    """Twenty clients, each waiting for its answer before it asks again, while the Service moves to and fro."""
    addresses = ["10.65.0.20", "10.65.0.21"]
    asking = True

    async def client(number: int) -> int:
        name, answers = (WEB, f"nobody-{number}.default.svc.cluster.local."), 0
        while asking:
            assert set(await world.values(name[0])) <= set(addresses)
            assert (await world.ask(name[1])).rcode() == dns.rcode.NXDOMAIN
            answers += 2
        return answers

    clients = [asyncio.create_task(client(number)) for number in range(20)]
    for change in range(20):
        address = addresses[(change + 1) % 2]
        world.objects.put(SERVICES, service(address=address))
        await world.until(WEB, [address])
    asking = False
    assert all(answers > 0 for answers in await asyncio.gather(*clients))


async def test_a_port_that_is_taken_is_left_to_its_owner(world: World) -> None:
    answering = Answering(Zone(DOMAIN, (SERVER,), ClusterDirectory(Informers(world.objects))), OWN, world.resolv_conf)  # type: ignore[arg-type]
    second = DnsServer(answering)
    port = await second.start("127.0.0.1", world.port)
    assert port != world.port
    await second.close()
