"""Who gets which host: every request of the cluster against every Domain. Pure.

The first to have a host keeps it: whoever it is published for, else the older object. Requests of one namespace do not
rival: the older leads the host to its address, the others share it. A host under no Domain, or one whose Domain does
not admit the namespace, is refused with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from skerry.engine.controllers.dynamic_dns.domains import Domain, covering
from skerry.engine.controllers.dynamic_dns.hosts import Refusal, Request, needs_no_record, records_for
from skerry.engine.controllers.dynamic_dns.plan import Wanted
from skerry.engine.definitions.domains import MOST_HOSTS

Labels = Mapping[str, Mapping[str, str]]
"""Labels of namespaces, by name."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the answer depends on."""

    requests: Sequence[Request]
    domains: Sequence[Domain]
    labels: Labels
    holders: Mapping[str, str]
    """For whom a host is published: the resource of its mark, by host."""
    cluster_domain: str


@dataclass(slots=True)
class Assignment:
    """Hosts by the name of their Domain, and who goes without."""

    wanted: dict[str, dict[str, Wanted]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)


def assign(situation: Situation) -> Assignment:
    """Decide on every host."""
    assignment = Assignment()
    by_host: dict[str, list[Request]] = {}
    for request in situation.requests:
        by_host.setdefault(request.host, []).append(request)
    for host, requests in sorted(by_host.items(), key=lambda item: item[0] not in situation.holders):
        domain = covering(situation.domains, host)
        if domain is None:
            assignment.refused += _out_of_domain(situation, requests)
        else:
            _assign_host(situation, domain, requests, assignment)
    return assignment


def _assign_host(situation: Situation, domain: Domain, requests: Sequence[Request], assignment: Assignment) -> None:
    admitted = []
    for one in requests:
        if domain.admits(one.source.namespace, situation.labels.get(one.source.namespace, {})):
            admitted.append(one)
        else:
            message = f"Domain {domain.name} ({domain.domain}) is not for namespace {one.source.namespace}"
            assignment.refused.append(Refusal(one.source, one.host, "DomainNotAllowed", f"{one.host}: {message}"))
    if not admitted or domain.going:
        return
    host, holder = requests[0].host, situation.holders.get(requests[0].host, "")
    admitted.sort(key=lambda one: (str(one.source) != holder, one.created, str(one.source)))
    first = admitted[0].source.namespace
    assignment.refused += (_taken(one, admitted[0]) for one in admitted if one.source.namespace != first)
    found = (
        Wanted(str(one.source), records, one.ttl or domain.ttl)
        for one in admitted
        if one.source.namespace == first and (records := records_for(_targets(domain, one)))
    )
    if (wanted := next(found, None)) is None:
        return
    hosts = assignment.wanted.setdefault(domain.name, {})
    if len(hosts) < MOST_HOSTS:
        hosts[host] = wanted
    else:
        message = f"{host}: Domain {domain.name} has {MOST_HOSTS} hosts, which is all it can have"
        assignment.refused.append(Refusal(admitted[0].source, host, "DomainFull", message))


def _targets(domain: Domain, request: Request) -> Sequence[str]:
    """A Domain's own targets stand for the addresses of Ingresses: those of a router in front of the cluster."""
    if domain.targets and request.source.kind == "ingress" and not request.explicit:
        return domain.targets
    return request.targets


def _taken(loser: Request, winner: Request) -> Refusal:
    message = f"{loser.host} already belongs to {winner.source.kind} {winner.source.namespace}/{winner.source.name}"
    return Refusal(loser.source, loser.host, "HostTaken", f"{message}: its DNS record stays as it is")


def _out_of_domain(situation: Situation, requests: Sequence[Request]) -> Iterable[Refusal]:
    host, there = requests[0].host, sorted(one.domain for one in situation.domains if not one.going)
    if not there or needs_no_record(host, situation.cluster_domain):
        return
    message = f"{host} is under none of the cluster's domains ({', '.join(there)}): no DNS record is made for it"
    for one in requests:
        yield Refusal(one.source, host, "OutOfDomain", message)
