"""Who gets which host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.controllers.dynamic_dns import claims
from skerry.engine.controllers.dynamic_dns.claims import Assignment, Situation, assign
from skerry.engine.controllers.dynamic_dns.domains import Domain, covering, read_domain
from skerry.engine.controllers.dynamic_dns.hosts import Request, Source
from skerry.engine.controllers.dynamic_dns.inventory import Entry, Work, work_for
from skerry.engine.controllers.dynamic_dns.plan import Wanted

WEB = "web.dyn.example.org"


def domain(name: str = "dyn", zone: str = "dyn.example.org", *, going: bool = False, **spec: Any) -> Domain:
    reference = {"namespace": "kube-system", "name": "tsig"}
    usual = {"domain": zone, "server": "192.0.2.53", "tsig": {"keyName": "key", "secretRef": reference}}
    metadata: dict[str, Any] = {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
    if going:
        metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    return read_domain({"metadata": metadata, "spec": {**usual, **spec}}, "uid")


def request(
    namespace: str, name: str, created: int = 1, host: str = WEB, targets: Sequence[str] = ("192.0.2.1",)
) -> Request:
    return Request(host, Source("ingress", namespace, name), f"2026-01-01T00:00:{created:02}Z", targets)


def decide(*requests: Request, domains: Sequence[Domain] = (domain(),), holder: str = "") -> Assignment:
    return assign(Situation(requests, domains, {}, {WEB: holder} if holder else {}, "cluster.local"))


def winner(assignment: Assignment, name: str = "dyn") -> str:
    return assignment.wanted[name][WEB].resource


def test_the_older_object_gets_the_host_unless_another_has_it() -> None:
    old, young = request("a", "old", 1), request("b", "young", 2)
    assert winner(decide(young, old)) == "ingress/a/old"
    assert winner(decide(young, old, holder="ingress/b/young")) == "ingress/b/young"
    assert [(one.source.name, one.reason) for one in decide(young, old).refused] == [("young", "HostTaken")]


def test_who_waits_for_an_address_holds_the_host_too() -> None:
    assignment = decide(request("a", "old", 1, targets=()), request("b", "young", 2))
    assert assignment.wanted == {}
    assert [one.source.name for one in assignment.refused] == ["young"]


def test_within_a_namespace_the_one_with_an_address_leads() -> None:
    assignment = decide(request("a", "old", 1, targets=()), request("a", "young", 2))
    assert winner(assignment) == "ingress/a/young"
    assert assignment.refused == []


def test_the_longest_name_covers_a_host_and_the_oldest_of_equal_ones() -> None:
    wide, narrow = domain("wide", "example.org"), domain("narrow")
    assert covering([wide, narrow], WEB) is narrow
    assert covering([wide, narrow], "other.example.org") is wide
    assert covering([wide], "example.org.evil.net") is None
    assert covering([wide], "notexample.org") is None


def test_a_domain_that_goes_still_covers_its_hosts_but_wants_none() -> None:
    domains = [domain("wide", "example.org"), domain("narrow", going=True)]
    assignment = decide(request("a", "web"), domains=domains)
    assert (assignment.wanted, assignment.refused) == ({}, [])


def test_a_namespace_that_is_not_admitted_does_not_fall_back_to_a_wider_domain() -> None:
    domains = [domain("wide", "example.org"), domain("narrow", namespaces=["b"])]
    assignment = decide(request("a", "web"), domains=domains)
    assert assignment.wanted == {}
    assert assignment.refused[0].reason == "DomainNotAllowed"


def test_a_domain_has_room_for_so_many_hosts(monkeypatch: Any) -> None:
    monkeypatch.setattr(claims, "MOST_HOSTS", 1)
    assignment = decide(request("a", "one", host="one.dyn.example.org"), request("a", "web"), holder="ingress/a/web")
    assert list(assignment.wanted["dyn"]) == [WEB]  # who is there stays
    assert [one.reason for one in assignment.refused] == ["DomainFull"]


@given(
    st.lists(
        st.builds(request, st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(1, 5)),
        unique_by=lambda one: one.source,
    )
)
def test_a_host_never_has_two_owners_and_everybody_else_is_told(requests: list[Request]) -> None:
    assignment = decide(*requests)
    if requests:
        namespace = winner(assignment).split("/")[1]
        refused = {one.source for one in assignment.refused}
        assert refused == {one.source for one in requests if one.source.namespace != namespace}


def test_work_is_what_differs_and_removals_come_first() -> None:
    same, old, new = (
        Wanted("ingress/a/b", {"A": (address,)}, 60) for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3")
    )
    entries = {
        "same": Entry("same", same, "Published"),
        "changed": Entry("changed", old, "Published"),
        "failed": Entry("failed", same, "Failed", "why"),
        "refused": Entry("refused", same, "Refused", "why"),
        "gone": Entry("gone", same, "Published"),
    }
    wanted = {"same": same, "changed": new, "failed": same, "refused": same, "new": new}

    def hosts(works: list[Work]) -> list[str]:
        return [work.host for work in works]

    assert hosts(work_for(wanted, entries, ())) == ["gone", "changed", "failed", "new"]
    assert set(hosts(work_for(wanted, entries, entries))) == {"gone", *wanted}
