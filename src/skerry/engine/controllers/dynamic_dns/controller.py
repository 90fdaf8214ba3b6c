"""Keeps the records of each Domain as Ingresses and Services ask for them, on a server that is somebody else's.

A round: decide who gets which host (`claims`), list new hosts in the status, do a bounded batch over one connection
(`publishing`), write how it went. A server that cannot be reached is tried again later and later; every ten minutes,
and when a Domain or its key changes, everything is compared with the server. Acts as `domain-controller`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.dynamic_dns.claims import Assignment, assign
from skerry.engine.controllers.dynamic_dns.domains import Domain, rival_of
from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.hosts import Source
from skerry.engine.controllers.dynamic_dns.inventory import (
    FAILED,
    PUBLISHED,
    REFUSED,
    Entry,
    Work,
    read_entries,
    work_for,
)
from skerry.engine.controllers.dynamic_dns.keys import read_key
from skerry.engine.controllers.dynamic_dns.plan import probe
from skerry.engine.controllers.dynamic_dns.publishing import settle, still_right, unlisted
from skerry.engine.controllers.dynamic_dns.server import UpdateServer
from skerry.engine.controllers.dynamic_dns.session import open_session
from skerry.engine.controllers.dynamic_dns.status import listing_of, status_of
from skerry.engine.controllers.dynamic_dns.updating import apply
from skerry.engine.controllers.dynamic_dns.watching import Watching
from skerry.engine.controllers.writing import Written, write_status
from skerry.engine.definitions.domains import DOMAINS
from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of
from skerry.kube.resources import SECRETS

FINALIZER = "skerry.dev/dns-records"
BATCH = 200
"""Hosts between two looks at what has changed meanwhile."""
_COLLECT = 0.1  # seconds; changes come in groups
_LOOK_AGAIN = 600.0  # seconds between two comparisons with the server
_FIRST_BACKOFF, _LONGEST_BACKOFF = 1.0, 300.0  # seconds


@dataclass(slots=True)
class _Memory:
    """What is known of a Domain beyond its status; a new engine compares everything with the server."""

    seen: object = None
    """What people and programs have changed of it, as of the last comparison."""
    compared: datetime | None = None
    """When a comparison of everything with the server was begun last."""
    doubted: set[str] = field(default_factory=set)
    """Hosts that are still to be compared."""
    is_reached: bool = False
    """Whether the server has taken the key since then."""
    failures: int = 0
    server: UpdateServer | None = None
    """The last one that took the key: its Secret may go together with the Domain."""


class DomainController(Controller):
    """Keys are names of Domains."""

    name = "domain"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._recorder = context.recorder.named("domain-controller")
        self._watching = Watching(context, self._all_changed)
        self._domains = self._watching.domains
        self._secrets = context.informers.metadata_of(SECRETS)
        self._memories: dict[str, _Memory] = {}
        self._written = Written(self._domains)
        self._domains.add_handler(self._domain_changed)
        self._secrets.add_handler(self._secret_changed)

    async def reconcile(self, key: str) -> float | None:
        """One round for one Domain."""
        obj = self._domains.get(key)
        if obj is None:
            self._memories.pop(key, None)
            self._written.forget(key)
            return None
        if not self._written.seen(key):
            return _COLLECT
        domain = self._watching.read(obj)
        entries = read_entries(obj)
        if is_deleting(obj) and not entries:
            await self._let_go(obj)
            return None
        if isinstance(domain, DnsError):
            await self._report(obj, "", entries, domain)
            return None
        if not domain.going and FINALIZER not in _finalizers(obj):
            await self._client.update(DOMAINS, _with_finalizers(obj, [*_finalizers(obj), FINALIZER]))
            return None
        return await self._round(obj, domain)

    async def _round(self, obj: Obj, domain: Domain) -> float | None:
        memory = self._memories.setdefault(domain.name, _Memory())
        situation, _ = self._watching.situation()
        assignment = assign(situation)
        entries = {
            host: entry
            for host, entry in read_entries(obj).items()
            if not _is_handed_over(host, domain, assignment, situation.domains)
        }
        wanted = assignment.wanted.get(domain.name, {})
        self._doubt_if_due(obj, domain, entries, memory)
        works = work_for(wanted, entries, memory.doubted)
        rest, trouble = works[BATCH:], None
        if works or not memory.is_reached:
            batch = works[:BATCH]
            if new := [entry for work in batch if (entry := unlisted(work)) is not None]:
                entries |= {entry.host: entry for entry in new}
                obj = await self._write(obj, listing_of(obj, entries))
            trouble = await self._publish(domain, batch, entries, memory)
        if domain.going and not entries:
            await self._let_go(obj)
            return None
        rival = rival_of(domain, situation.domains)
        await self._report(obj, domain.owner, entries, _taken(domain, rival) if rival is not None else trouble)
        return self._next_look(memory, entries, trouble, is_more=bool(rest))

    def _doubt_if_due(self, obj: Obj, domain: Domain, entries: Iterable[str], memory: _Memory) -> None:
        """Have everything compared with the server: at first, from time to time, and when somebody has changed the
        Domain or its key."""
        secret = self._secrets.get(domain.secret.name, domain.secret.namespace)
        version = secret["metadata"].get("resourceVersion") if secret is not None else None
        seen = (obj["metadata"].get("generation"), annotations_of(obj), version)
        now = self._clock.steady()
        is_due = memory.compared is None or (now - memory.compared).total_seconds() >= _LOOK_AGAIN
        if is_due or seen != memory.seen:
            memory.seen, memory.compared, memory.is_reached = seen, now, False
            memory.doubted = set(entries)

    async def _publish(
        self, domain: Domain, batch: Sequence[Work], entries: dict[str, Entry], memory: _Memory
    ) -> DnsError | None:
        """Do what can be done; the trouble that stopped it."""
        try:
            server = await self._server(domain, memory)
            async with open_session(server) as session:
                await apply(session, probe(domain.domain))
                memory.server, memory.is_reached = server, True
                right = await still_right(session, domain.owner, batch)
                for work in batch:
                    if work.host not in right:
                        self._note(work, await settle(session, domain.owner, work), entries)
                    memory.doubted.discard(work.host)
        except DnsError as trouble:
            return trouble
        return None

    async def _server(self, domain: Domain, memory: _Memory) -> UpdateServer:
        """Where updates go, with the key as it is now. Raises DnsError."""
        try:
            key = await read_key(self._client, domain)
        except DnsError:
            if domain.going and memory.server is not None:
                return memory.server
            raise
        host, port = domain.server
        return UpdateServer(host, domain.zone, key, port)

    def _note(self, work: Work, entry: Entry | None, entries: dict[str, Entry]) -> None:
        """Take over how it went, and tell who asked."""
        if entry is None:
            entries.pop(work.host, None)
            return
        entries[work.host] = entry
        if work.wanted is None or entry == work.entry:
            return
        if (obj := self._watching.source(Source(*work.wanted.resource.split("/")))) is None:
            return
        if entry.state == PUBLISHED:
            values = ", ".join(value for values in work.wanted.records.values() for value in values)
            self._recorder.event(obj, "Normal", "DNSPublished", f"{work.host} leads to {values}")
        elif entry.state in {REFUSED, FAILED}:
            self._recorder.event(obj, "Warning", f"DNS{entry.state}", entry.message)

    async def _report(self, obj: Obj, owner: str, entries: Mapping[str, Entry], trouble: DnsError | None) -> Obj:
        return await self._write(obj, status_of(obj, owner, entries, trouble, self._clock.now()))

    async def _write(self, obj: Obj, status: Obj) -> Obj:
        written = await write_status(self._client, DOMAINS, obj, status)
        self._written.note(name_of(obj), written)
        return written

    async def _let_go(self, obj: Obj) -> None:
        left = [one for one in _finalizers(obj) if one != FINALIZER]
        if left != _finalizers(obj):
            self._written.note(name_of(obj), await self._client.update(DOMAINS, _with_finalizers(obj, left)))

    def _next_look(
        self, memory: _Memory, entries: Mapping[str, Entry], trouble: DnsError | None, *, is_more: bool
    ) -> float:
        """In seconds."""
        if trouble is not None or any(entry.state == FAILED for entry in entries.values()):
            memory.failures += 1
            return min(_FIRST_BACKOFF * 2.0 ** min(memory.failures - 1, 30), _LONGEST_BACKOFF)
        memory.failures = 0
        return _COLLECT if is_more else _LOOK_AGAIN

    def _all_changed(self) -> None:
        for obj in self._domains.list():
            self.queue.add_after(name_of(obj), _COLLECT)

    def _domain_changed(self, delta: Delta) -> None:
        """Which Domain covers a host depends on all of them. What we write ourselves changes nothing for anybody."""
        if delta.old is None or delta.new is None or _told(delta.old) != _told(delta.new):
            self.queue.add(name_of(delta.object))
            self._all_changed()

    def _secret_changed(self, delta: Delta) -> None:
        namespace, name = delta.object["metadata"].get("namespace", ""), name_of(delta.object)
        for obj in self._domains.list():
            reference = obj["spec"]["tsig"]["secretRef"]
            if (reference["namespace"], reference["name"]) == (namespace, name):
                self.queue.add(name_of(obj))


def _is_handed_over(host: str, domain: Domain, assignment: Assignment, domains: Sequence[Domain]) -> bool:
    """Whether another Domain takes the host on as it is: same zone, same owner."""
    return any(
        host in assignment.wanted.get(other.name, {})
        for other in domains
        if other.name != domain.name and _place(other) == _place(domain)
    )


def _place(domain: Domain) -> tuple[object, ...]:
    return domain.server, domain.zone, domain.owner


def _taken(domain: Domain, rival: Domain) -> DnsError:
    return DnsError("DomainTaken", f"Domain {rival.name} is older and has {domain.domain} already")


def _told(obj: Obj) -> tuple[object, ...]:
    """What others say of a Domain, not we."""
    metadata = obj["metadata"]
    return metadata.get("generation"), annotations_of(obj), is_deleting(obj), _finalizers(obj)


def _finalizers(obj: Obj) -> list[str]:
    return obj["metadata"].get("finalizers") or []


def _with_finalizers(obj: Obj, finalizers: list[str]) -> Obj:
    return {**obj, "metadata": {**obj["metadata"], "finalizers": finalizers}}
