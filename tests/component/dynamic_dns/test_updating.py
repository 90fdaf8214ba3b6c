"""Updates against real servers: what they do, what they refuse, and that prerequisites hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as changed
from pathlib import Path

import pytest

from skerry.engine.controllers.dynamic_dns import updating
from skerry.engine.controllers.dynamic_dns.failures import DnsError, PrerequisiteFailed, ServerTrouble
from skerry.engine.controllers.dynamic_dns.server import TsigKey, UpdateServer
from skerry.engine.controllers.dynamic_dns.session import open_session
from skerry.engine.controllers.dynamic_dns.updating import RecordSet, Update
from tests.support.dns_servers import OTHER_SECRET, ZONE, Bind, DnsServerProcess, PowerDns, running

CHALLENGE = f"_acme-challenge.web.{ZONE}"
WEB = f"web.{ZONE}"


@pytest.fixture(scope="module", params=[Bind, PowerDns])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServerProcess]:
    """One for all tests: each has names of its own."""
    with running(request.param(tmp_path_factory.mktemp("dns"))) as started:
        yield started


async def test_replace_leaves_exactly_what_was_given(server: DnsServerProcess) -> None:
    await updating.replace(server.target, RecordSet(CHALLENGE, "TXT", ["one", "two"], 60))
    assert server.values(CHALLENGE, "TXT") == ['"one"', '"two"']
    await updating.replace(server.target, RecordSet(CHALLENGE, "TXT", ["three"], 30))
    assert server.values(CHALLENGE, "TXT") == ['"three"']
    assert server.ttl(CHALLENGE, "TXT") == 30


async def test_values_are_added_and_removed_one_by_one(server: DnsServerProcess) -> None:
    """As two challenges for one name need it: `example.org` and `*.example.org`."""
    name = f"_acme-challenge.both.{ZONE}"
    await updating.add(server.target, RecordSet(name, "TXT", ["one"], 60))
    await updating.add(server.target, RecordSet(name, "TXT", ["two"], 60))
    await updating.remove(server.target, RecordSet(name, "TXT", ["one"]))
    assert server.values(name, "TXT") == ['"two"']
    await updating.remove(server.target, RecordSet(name, "TXT"))
    assert server.values(name, "TXT") == []
    await updating.remove(server.target, RecordSet(name, "TXT"))  # once more is no error


async def test_long_and_odd_texts_come_back_as_they_were(server: DnsServerProcess) -> None:
    text = 'a "quoted" \\ back; slash ' + "x" * 300
    name = f"text.{ZONE}"
    await updating.replace(server.target, RecordSet(name, "TXT", [text], 60))
    async with open_session(server.target) as session:
        assert await updating.values_of(session, name, "TXT") == [text]
        assert await updating.values_of(session, f"nobody.{ZONE}", "TXT") == []
        assert await updating.values_of(session, name, "A") == []


async def test_a_name_in_use_is_left_alone_by_who_supposed_it_was_not(server: DnsServerProcess) -> None:
    async with open_session(server.target) as session:
        for name in (f"theirs.{ZONE}", f"mail.{ZONE}"):
            with pytest.raises(PrerequisiteFailed) as failed:
                await updating.apply(session, Update(unused=[name], add=[RecordSet(name, "A", ["192.0.2.1"], 60)]))
            assert failed.value.code == "YXDOMAIN"
    assert server.values(f"theirs.{ZONE}") == ["192.0.2.99"]
    assert server.values(f"mail.{ZONE}") == []


async def test_an_update_with_a_failed_prerequisite_changes_nothing(server: DnsServerProcess) -> None:
    mark = RecordSet(f"a-web.{ZONE}", "TXT", ["owner=me"], 60)
    await updating.replace(server.target, mark)
    await updating.replace(server.target, RecordSet(WEB, "A", ["192.0.2.1"], 60))
    move = Update(present=[changed(mark, values=["owner=you"])], delete=[RecordSet(WEB, "A")])
    async with open_session(server.target) as session:
        with pytest.raises(PrerequisiteFailed) as failed:
            await updating.apply(session, move)
        assert failed.value.code == "NXRRSET"
        assert server.values(WEB) == ["192.0.2.1"]
        new = RecordSet(WEB, "A", ["192.0.2.2", "192.0.2.3"], 60)
        await updating.apply(session, Update(present=[mark], delete=[RecordSet(WEB, "A")], add=[new]))
    assert server.values(WEB) == ["192.0.2.2", "192.0.2.3"]


async def test_a_wildcard_name_does_not_stand_for_others(server: DnsServerProcess) -> None:
    wild, under = f"*.apps.{ZONE}", f"one.apps.{ZONE}"
    async with open_session(server.target) as session:
        await updating.apply(session, Update(unused=[wild], add=[RecordSet(wild, "A", ["192.0.2.7"], 60)]))
        assert server.values(under) == ["192.0.2.7"]
        await updating.apply(session, Update(unused=[under], add=[RecordSet(under, "A", ["192.0.2.8"], 60)]))
    assert server.values(under) == ["192.0.2.8"]


async def test_looking_changes_nothing(server: DnsServerProcess) -> None:
    """An update without changes asks whether the zone is as supposed."""
    there = RecordSet(f"theirs.{ZONE}", "A", ["192.0.2.99"])
    before = server.serial()
    async with open_session(server.target) as session:
        await updating.apply(session, Update(present=[there]))
        with pytest.raises(PrerequisiteFailed):
            await updating.apply(session, Update(present=[changed(there, values=["192.0.2.98"])]))
    assert server.serial() == before


@pytest.mark.parametrize(
    ("key", "reasons"),
    [
        (TsigKey("stranger", OTHER_SECRET), {"BadKey", "NotAuthoritative", "Refused"}),
        (TsigKey("skerry", OTHER_SECRET), {"BadSignature", "NotAuthoritative", "Refused"}),
        (None, {"Refused"}),
    ],
    ids=["unknown key", "wrong secret", "no key"],
)
async def test_a_wrong_key_is_named(server: DnsServerProcess, key: TsigKey | None, reasons: set[str]) -> None:
    with pytest.raises(DnsError) as failed:
        await updating.replace(changed(server.target, key=key), RecordSet(CHALLENGE, "TXT", ["x"], 60))
    assert failed.value.reason in reasons
    assert OTHER_SECRET not in str(failed.value)


async def test_a_zone_that_is_not_served_there_is_refused(server: DnsServerProcess) -> None:
    elsewhere = changed(server.target, zone="example.net")
    with pytest.raises(DnsError) as failed:
        await updating.replace(elsewhere, RecordSet("web.example.net", "A", ["192.0.2.1"], 60))
    assert failed.value.reason in {"NotAuthoritative", "Refused"}
    with pytest.raises(DnsError) as failed:
        await updating.replace(server.target, RecordSet("web.example.net", "A", ["192.0.2.1"], 60))
    assert failed.value.reason in {"NotInZone", "Refused"}


@pytest.mark.parametrize("record", [RecordSet(WEB, "A", ["not an address"], 60), RecordSet("a..b", "A", ["::1"], 60)])
async def test_what_is_no_record_is_refused_here(server: DnsServerProcess, record: RecordSet) -> None:
    with pytest.raises(DnsError) as failed:
        await updating.replace(server.target, record)
    assert failed.value.reason == "Invalid"


async def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    nobody = UpdateServer("127.0.0.1", ZONE, port=1)
    with pytest.raises(ServerTrouble) as failed:
        await updating.replace(nobody, RecordSet(CHALLENGE, "TXT", ["x"], 60))
    assert failed.value.reason == "Unreachable"


async def test_names_of_servers_are_looked_up(server: DnsServerProcess) -> None:
    with pytest.raises(ServerTrouble) as failed:
        await updating.replace(
            changed(server.target, host="no-such-host.invalid"), RecordSet(CHALLENGE, "TXT", ["x"], 60)
        )
    assert failed.value.reason == "Unreachable"
