"""What a Domain's status says of its hosts: the list of what may be published, written before it is. Pure.

A host is listed as Pending before its records are asked for, and taken out only when they are known to be gone: so
whatever happens to the engine in between, nothing is published that is not listed, and the next engine withdraws what
nobody wants any more. The server need not allow zone transfers for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from skerry.engine.controllers.dynamic_dns.plan import Wanted
from skerry.kube.objects import Obj

PENDING, PUBLISHED, REFUSED, FAILED = "Pending", "Published", "Refused", "Failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One host. `wanted` is what was last published, or tried."""

    host: str
    wanted: Wanted
    state: str
    message: str = ""

    def to_json(self) -> Obj:
        """As it stands in the status."""
        records = {type_: list(values) for type_, values in self.wanted.records.items()}
        shown = {"host": self.host, "resource": self.wanted.resource, "records": records, "ttl": self.wanted.ttl}
        return {**shown, "state": self.state, **({"message": self.message} if self.message else {})}

    @property
    def holds(self) -> bool:
        """Whether the host is, or may be, published for its resource."""
        return self.state in {PENDING, PUBLISHED, FAILED}


def read_entries(domain: Obj) -> dict[str, Entry]:
    """By host."""
    return {entry["host"]: _read(entry) for entry in (domain.get("status") or {}).get("records") or ()}


def _read(entry: Obj) -> Entry:
    records = {type_: tuple(values) for type_, values in (entry.get("records") or {}).items()}
    wanted = Wanted(entry.get("resource", ""), records, entry.get("ttl", 0))
    return Entry(entry["host"], wanted, entry.get("state", PENDING), entry.get("message", ""))


def holders_of(domains: Iterable[Obj]) -> dict[str, str]:
    """For whom hosts are published, by host."""
    return {
        host: entry.wanted.resource for domain in domains for host, entry in read_entries(domain).items() if entry.holds
    }


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one host; `wanted` is None when its records must go."""

    host: str
    wanted: Wanted | None
    entry: Entry | None


def work_for(wanted: Mapping[str, Wanted], entries: Mapping[str, Entry], doubted: Iterable[str]) -> list[Work]:
    """Removals first, for they make room. `doubted`: hosts that are looked at although nothing seems to be amiss."""
    looked_at = set(doubted)
    gone = [Work(host, None, entry) for host, entry in entries.items() if host not in wanted]
    changed = [
        Work(host, one, entries.get(host))
        for host, one in wanted.items()
        if host in looked_at or not _is_settled(one, entries.get(host))
    ]
    return [*gone, *changed]


def _is_settled(wanted: Wanted, entry: Entry | None) -> bool:
    return entry is not None and entry.wanted == wanted and entry.state in {PUBLISHED, REFUSED}
