"""What a Domain says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from skerry.engine.controllers.dynamic_dns.failures import DnsError, ServerTrouble
from skerry.engine.controllers.dynamic_dns.inventory import Entry, holders_of, read_entries
from skerry.engine.controllers.dynamic_dns.plan import Wanted
from skerry.engine.controllers.dynamic_dns.status import listing_of, status_of
from skerry.kube.objects import Obj

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOMAIN: Obj = {"metadata": {"name": "dyn", "generation": 3}}
WANTED = Wanted("ingress/default/web", {"A": ("192.0.2.1",)}, 60)


def entry(host: str, state: str, message: str = "") -> Entry:
    return Entry(host, WANTED, state, message)


def status(*entries: Entry, trouble: DnsError | None = None) -> Obj:
    return status_of(DOMAIN, "me", {one.host: one for one in entries}, trouble, NOW)


def ready(*entries: Entry, trouble: DnsError | None = None) -> tuple[str, str, str]:
    condition = status(*entries, trouble=trouble)["conditions"][0]
    assert condition["observedGeneration"] == 3
    return condition["status"], condition["reason"], condition["message"]


def test_hosts_are_counted_by_state() -> None:
    entries = entry("a", "Published"), entry("b", "Published"), entry("c", "Refused", "why")
    assert ready() == ("True", "Published", "hosts: none yet")
    assert ready(*entries) == ("True", "Published", "hosts: 2 published, 1 refused")
    assert (status(*entries)["hosts"], status(*entries)["published"]) == (3, 2)


def test_a_host_that_failed_makes_it_unready_and_is_named() -> None:
    found = ready(entry("b", "Failed", "b: no"), entry("a", "Failed", "a: no"))
    assert found == ("False", "UpdateFailed", "hosts: 2 failed; a: no")


def test_trouble_comes_before_all_else() -> None:
    trouble = ServerTrouble("Unreachable", "no way there")
    assert ready(entry("a", "Published"), trouble=trouble) == ("False", "Unreachable", "no way there")


@pytest.mark.parametrize("state", ["Pending", "Published", "Refused", "Failed"])
def test_what_is_written_is_read_again(state: str) -> None:
    one = entry("a", state, "why")
    domain = {**DOMAIN, "status": status(one)}
    assert read_entries(domain) == {"a": one}
    assert holders_of([domain]) == ({} if state == "Refused" else {"a": "ingress/default/web"})


def test_listing_a_host_leaves_the_condition_alone() -> None:
    before = status(trouble=ServerTrouble("Unreachable", "no way there"))
    after = listing_of({**DOMAIN, "status": before}, {"a": entry("a", "Pending")})
    assert after["conditions"] == before["conditions"]
    assert after["hosts"] == 1
