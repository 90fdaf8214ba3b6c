"""What is to be changed for one host, so that nobody else's record can be touched. Pure.

`found` is what the marks of the host say (or are believed to say): texts by record type. The update that comes out
holds only if the zone is so: the server checks that, in the same step as it changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.marks import TYPES, mark_name, mark_text, owner_in
from skerry.engine.controllers.dynamic_dns.updating import RecordSet, Update

Found = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """A name in a zone, and as whom we act there."""

    host: str
    zone: str
    owner: str

    def mark(self, type_: str, values: Sequence[str] = (), ttl: int = 0) -> RecordSet:
        """The set of marks for a type."""
        return RecordSet(mark_name(self.host, type_, self.zone), "TXT", values, ttl)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The records a host shall have."""

    resource: str
    """Who asks: "ingress/default/web"."""
    records: Mapping[str, Sequence[str]]
    """Sorted values by type."""
    ttl: int
    """Seconds."""


def to_publish(place: Place, wanted: Wanted, found: Found) -> Update:
    """Bring the host to what is wanted. Raises DnsError "NotOurs" when a mark is somebody else's."""
    ours = _ours(place, found)
    text = mark_text(place.owner, wanted.resource)
    new = [type_ for type_ in wanted.records if type_ not in ours]
    additions = [RecordSet(place.host, type_, values, wanted.ttl) for type_, values in wanted.records.items()]
    marks = [place.mark(type_, [text], wanted.ttl) for type_ in wanted.records]
    is_new = not ours and place.host != place.zone
    return Update(
        unused=[place.host] if is_new else [],
        absent=[
            *(RecordSet(place.host, type_) for type_ in new if not is_new),
            *(place.mark(type_) for type_ in new),
        ],
        present=[place.mark(type_, found[type_]) for type_ in ours],
        delete=_all_of(place, ours),
        add=[*additions, *marks],
    )


def to_withdraw(place: Place, found: Found) -> Update | None:
    """Take away what is ours at the host, None when nothing is."""
    ours = [type_ for type_ in TYPES if _is_ours(place, found.get(type_, ()))]
    if not ours:
        return None
    return Update(present=[place.mark(type_, found[type_]) for type_ in ours], delete=_all_of(place, ours))


def to_verify(place: Place, wanted: Wanted) -> Update:
    """Change nothing; succeeds when the zone has exactly what is wanted (but for times to live)."""
    text = mark_text(place.owner, wanted.resource)
    records = [RecordSet(place.host, type_, values) for type_, values in wanted.records.items()]
    return Update(present=[*records, *(place.mark(type_, [text]) for type_ in wanted.records)])


def probe(domain: str) -> Update:
    """Change nothing; succeeds when the server lets the key change names of the domain, before anybody needs it."""
    return Update(delete=[RecordSet(f"_skerry-probe.{domain}", "TXT")])


def believed(place: Place, published: Wanted) -> Found:
    """What the marks say if the zone is as we left it."""
    return {type_: [mark_text(place.owner, published.resource)] for type_ in published.records}


def _all_of(place: Place, types: Sequence[str]) -> list[RecordSet]:
    return [one for type_ in types for one in (RecordSet(place.host, type_), place.mark(type_))]


def _ours(place: Place, found: Found) -> list[str]:
    for type_, texts in found.items():
        if texts and not _is_ours(place, texts):
            whose = next((f"owner {owner}" for text in texts if (owner := owner_in(text))), "something else")
            raise DnsError("NotOurs", f"{place.host} has {type_} records that are marked as those of {whose}")
    return [type_ for type_ in TYPES if found.get(type_)]


def _is_ours(place: Place, texts: Sequence[str]) -> bool:
    return len(texts) == 1 and owner_in(texts[0]) == place.owner
