"""What is sent for one host: nothing that could touch a record without our mark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.marks import TYPES, mark_name, mark_text, owner_in
from skerry.engine.controllers.dynamic_dns.plan import Place, Wanted, believed, to_publish, to_verify, to_withdraw
from skerry.engine.controllers.dynamic_dns.updating import RecordSet

ZONE = "example.org"
PLACE = Place(f"web.{ZONE}", ZONE, "me")
OURS = mark_text("me", "ingress/default/web")
WANTED = Wanted("ingress/default/web", {"A": ("192.0.2.1",)}, 60)
texts = st.sampled_from([OURS, mark_text("you", "ingress/a/b"), "something", mark_text("me", "service/a/b")])
found = st.dictionaries(st.sampled_from(TYPES), st.lists(texts, max_size=2, unique=True))
wanted = st.builds(
    Wanted,
    st.just("ingress/default/web"),
    st.sampled_from([{"A": ("192.0.2.1",)}, {"A": ("192.0.2.1",), "AAAA": ("::1",)}, {"CNAME": ("x.org",)}]),
    st.just(60),
)
hosts = st.sampled_from([f"web.{ZONE}", ZONE, f"*.{ZONE}"])


@given(hosts, wanted, found)
def test_nothing_is_deleted_or_replaced_that_does_not_bear_our_mark(
    host: str, wanted: Wanted, found: dict[str, list[str]]
) -> None:
    place = Place(host, ZONE, "me")
    if any(marks and (len(marks) > 1 or owner_in(marks[0]) != "me") for marks in found.values()):
        with pytest.raises(DnsError, match="marked as those of"):
            to_publish(place, wanted, found)
        return
    update = to_publish(place, wanted, found)
    proven = {record.name for record in update.present}
    for record in update.delete:
        type_ = (
            record.type if record.name == host else next(t for t in TYPES if mark_name(host, t, ZONE) == record.name)
        )
        assert mark_name(host, type_, ZONE) in proven
    for type_ in wanted.records:
        is_free = host in update.unused or RecordSet(host, type_) in update.absent
        assert is_free or mark_name(host, type_, ZONE) in proven


@given(hosts, found)
def test_only_what_is_ours_is_withdrawn(host: str, found: dict[str, list[str]]) -> None:
    place = Place(host, ZONE, "me")
    update = to_withdraw(place, found)
    ours = {type_ for type_, marks in found.items() if len(marks) == 1 and owner_in(marks[0]) == "me"}
    if update is None:
        assert not ours
        return
    assert {record.type for record in update.delete if record.name == host} == ours
    assert {record.name for record in update.present} == {mark_name(host, type_, ZONE) for type_ in ours}


def test_a_new_name_must_be_unused() -> None:
    update = to_publish(PLACE, WANTED, {})
    assert update.unused == [PLACE.host]
    assert update.delete == []
    assert [record.name for record in update.add] == [PLACE.host, f"a-{PLACE.host}"]


def test_the_top_of_a_zone_is_always_in_use() -> None:
    update = to_publish(Place(ZONE, ZONE, "me"), WANTED, {})
    assert update.unused == []
    assert RecordSet(ZONE, "A") in update.absent


def test_what_we_believe_is_what_we_published() -> None:
    update = to_publish(PLACE, Wanted("ingress/default/new", {"A": ("192.0.2.2",)}, 60), believed(PLACE, WANTED))
    assert update.present == [RecordSet(f"a-{PLACE.host}", "TXT", [OURS])]


def test_looking_changes_nothing() -> None:
    update = to_verify(PLACE, WANTED)
    assert (update.add, update.delete) == ((), ())
    assert len(update.present) == 2


@pytest.mark.parametrize(
    ("text", "owner"), [(OURS, "me"), (f'"{OURS}"', "me"), ("heritage=other,external-dns/owner=me", "")]
)
def test_owners_are_read_from_marks(text: str, owner: str) -> None:
    assert owner_in(text) == owner


def test_a_mark_that_would_be_too_long_is_refused_by_name() -> None:
    with pytest.raises(DnsError) as refused:
        mark_name("a" * 62 + ".example.org", "A", ZONE)
    assert refused.value.reason == "NameTooLong"
