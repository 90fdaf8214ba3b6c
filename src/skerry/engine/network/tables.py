"""The nftables table of an IP family of an instance, from forwards. Pure; `loading` turns it into text for `nft`.

How a packet travels: `prerouting` (from pods and from outside) and `output` (from the host itself) look up its
destination in `virtual` (address, protocol, port) or `exposed` (protocol, port; only for the host's own addresses)
and go to the chain of that forward, which picks a backend at random. What is left for the service range afterwards
has no endpoints and is refused at once, which clients see as "connection refused"; so is what is left for an address
`lent` to a Service of type LoadBalancer. `guard` drops, before connection tracking, what comes from outside for a
loopback address: it makes `route_localnet` on pod interfaces safe (docs/decisions/0014-loopback-node-ports.md). Replies
are translated back after `guard`, so they pass.

A forward with affinity has, for each backend, a chain of its own and a set of the clients that came to it, which the
kernel fills and empties; whoever is in such a set goes to that backend.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from skerry.engine.network.family import IPV4, IPV6, Family
from skerry.engine.network.services import Backend, Forward
from skerry.kube.authority import host_and_port

_SAFE_NAME = re.compile(r"(svc|ext|lb|pod)/[a-z0-9.-]+/[a-z0-9.-]+/[a-z]+-[0-9a-f.:-]+")

MAP_KEYS = {"virtual": "{address} . inet_proto . inet_service", "exposed": "inet_proto . inet_service"}
SET_KEYS = {
    "refused": "inet_proto . inet_service",
    "hairpin": "{address} . {address}",
    "lent": "{address}",
}
"""Types of keys; `{address}` stands for that of the family's addresses."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is in the table: everything that depends on forwards, and `hooks`, which do not."""

    maps: Mapping[str, Mapping[str, str]]
    """Chain by element, for each map."""
    sets: Mapping[str, frozenset[str]]
    """Elements of each set."""
    affinity: Mapping[str, int]
    """Sets that the kernel fills, with seconds."""
    chains: Mapping[str, Sequence[str]]
    """Rules by chain; a chain goes only to chains that come before it."""
    hooks: Mapping[str, Sequence[str]] = field(default_factory=dict)


def table_of(family: Family, wanted: Sequence[Forward]) -> Table:
    """The table for these forwards; the same ones always give the same."""
    usable = [one for one in wanted if _SAFE_NAME.fullmatch(one.name)]
    served, refused = [one for one in usable if one.backends], [one for one in usable if not one.backends]
    chains: dict[str, Sequence[str]] = {}
    affinity: dict[str, int] = {}
    for one in served:
        if one.affinity_seconds:
            affinity |= {_clients_of(one, backend): one.affinity_seconds for backend in one.backends}
            chains |= {_chain_of(one, backend): _remembering(family, one, backend) for backend in one.backends}
        chosen = _sticking(family, one) if one.affinity_seconds else [_choose(family, one)]
        chains[_identifier(one.name)] = [*_admitting(family, one), *chosen]
    return Table(
        maps={"virtual": _virtual(served), "exposed": _exposed(served)},
        sets={
            "refused": frozenset(key for one in refused for key in _exposed([one])),
            "hairpin": frozenset(_hairpin(family, served)),
            "lent": frozenset(address for one in usable for address in one.lent),
        },
        affinity=affinity,
        chains=chains,
        hooks=_hooks(family),
    )


def _virtual(served: Iterable[Forward]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in served:
        for address in one.addresses:
            found.setdefault(f"{address} . {one.protocol} . {one.port}", _identifier(one.name))
    return found


def _exposed(served: Iterable[Forward]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in served:
        if one.host_port:
            found.setdefault(f"{one.protocol} . {one.host_port}", _identifier(one.name))
    return found


def _hairpin(family: Family, served: Iterable[Forward]) -> list[str]:
    """Pods that may reach themselves through a service: they would drop packets that carry their own address."""
    addresses = {backend.address for one in served for backend in one.backends} - {family.node_ip}
    return [f"{address} . {address}" for address in sorted(addresses)]


def _admitting(family: Family, one: Forward) -> list[str]:
    """Only connections begin here, so those that are open when the ranges change stay open."""
    if one.sources is None:
        return []
    return [f"{family.word} saddr != {{ {', '.join(one.sources)} }} drop" if one.sources else "drop"]


def _choose(family: Family, one: Forward) -> str:
    """`meta l4proto` must come first: nft refuses a port in `dnat` for packets of unknown protocol."""
    if len(one.backends) == 1:
        return _to_backend(family, one, one.backends[0])
    targets = ", ".join(f"{n} : {where.address} . {where.port}" for n, where in enumerate(one.backends))
    choice = f"numgen random mod {len(one.backends)} map {{ {targets} }}"
    return f"meta l4proto {one.protocol} dnat {family.word} to {choice}"


def _to_backend(family: Family, one: Forward, backend: Backend) -> str:
    target = host_and_port(backend.address, backend.port)
    return f"meta l4proto {one.protocol} dnat {family.word} to {target}"


def _sticking(family: Family, one: Forward) -> list[str]:
    """Known clients to where they were, all others anywhere."""
    known = [
        f"{family.word} saddr @{_clients_of(one, backend)} goto {_chain_of(one, backend)}" for backend in one.backends
    ]
    targets = ", ".join(f"{n} : goto {_chain_of(one, backend)}" for n, backend in enumerate(one.backends))
    return [*known, f"numgen random mod {len(one.backends)} vmap {{ {targets} }}"]


def _remembering(family: Family, one: Forward, backend: Backend) -> list[str]:
    """`update` starts the time anew with every connection."""
    return [f"update @{_clients_of(one, backend)} {{ {family.word} saddr }}", _to_backend(family, one, backend)]


def _chain_of(one: Forward, backend: Backend) -> str:
    return _identifier(f"to/{one.name}/{backend.address}-{backend.port}")


def _clients_of(one: Forward, backend: Backend) -> str:
    """The time is part of the name: that of a set cannot be changed."""
    return _identifier(f"of/{one.name}/{backend.address}-{backend.port}/{one.affinity_seconds}")


def _identifier(name: str) -> str:
    """As nft takes it: without the colons of IPv6 addresses."""
    return name.replace(":", "_")


def _lookups(family: Family) -> list[str]:
    """The first instance answers on every address of the host, another one to others than its pods only on its own
    loopback address."""
    ip = family.word
    where = [f"{local} meta l4proto . th dport vmap @exposed" for local in _local(family)]
    others = []
    if family.is_everywhere and family.name == IPV4:
        others = [f"ip daddr 127.0.0.0/8 ip daddr != {family.loopback} return"]
    return [f"{ip} daddr . meta l4proto . th dport vmap @virtual", *others, *_lent_to_others(family), *where]


def _lent_to_others(family: Family) -> list[str]:
    """An IPv6 address that is announced is on an interface, where no node port shall answer for it."""
    return ["ip6 daddr @lent return"] if family.name == IPV6 else []


def _local(family: Family) -> list[str]:
    """What tells packets for addresses at which node ports answer; nothing if there are none."""
    if family.is_everywhere:
        return ["fib daddr type local"]
    ours = f"{family.word} saddr {family.pods} fib daddr type local"  # pods know no other address than the node's
    return [f"{family.word} daddr {family.loopback}", ours] if family.loopback else [ours]


def _hooks(family: Family) -> dict[str, Sequence[str]]:
    ip, pods = family.word, family.pods
    refuse = [*_refuse(family, f"{ip} daddr {family.services}"), *_refuse(family, f"{ip} daddr @lent")]
    refuse_exposed = [
        rule for local in _local(family) for rule in _refuse(family, f"{local} meta l4proto . th dport @refused")
    ]
    masquerade = [
        f"{ip} saddr . {ip} daddr @hairpin masquerade",
        f"ct status dnat {ip} daddr {pods} fib saddr type local masquerade",
        f'{ip} saddr {pods} {ip} daddr != {pods} oifname != "lo" masquerade',
    ]
    return {
        "lookups": _lookups(family),
        "guard": _hook("filter hook prerouting priority raw", _guard(family)),
        "prerouting": _hook("nat hook prerouting priority dstnat", ["jump lookups"]),
        "output": _hook("nat hook output priority -100", ["jump lookups"]),
        "postrouting": _hook("nat hook postrouting priority srcnat", masquerade),
        **_refusing(family, refuse),
        "outgoing": _hook("filter hook output priority filter", [*_spared(family), *refuse]),
        "incoming": _hook("filter hook input priority filter", [*_only_pods(family), *refuse_exposed]),
    }


def _refusing(family: Family, refuse: Sequence[str]) -> dict[str, Sequence[str]]:
    """Where packets of pods and of others are refused. IPv6 packets would not be forwarded to the loopback interface,
    to which the range of virtual addresses is routed: they must be refused when they come."""
    if family.name == IPV6:
        return {"arriving": _hook("filter hook prerouting priority dstnat + 1", [*_spared(family), *refuse])}
    return {"forward": _hook("filter hook forward priority filter", refuse)}


def _spared(family: Family) -> list[str]:
    """What comes to an announced IPv6 address all the same: neighbours ask whether it is still there; and what the
    machine says to the Service it says from that very address, where answers come, refusals too."""
    if family.name == IPV4:
        return []
    return ["icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept", "ct direction reply accept"]


def _guard(family: Family) -> list[str]:
    """The kernel itself drops what comes from outside for IPv6's loopback address."""
    if family.name == IPV6:
        return []
    return [f'iifname != "lo" ip {side} 127.0.0.0/8 drop' for side in ("daddr", "saddr")]


def _only_pods(family: Family) -> list[str]:
    """What listens on the host's end of pod interfaces is for this instance's pods and the host: DNS above all, which
    has a virtual address. Others come only where a node port or a load balancer's address leads them."""
    ip = family.word
    others = f'iifname != "lo" {ip} daddr {family.gateway} {ip} saddr != {family.pods}'
    return [
        f"{others} ct status & dnat != dnat drop",
        f"{others} ct original {ip} daddr {family.services} drop",
    ]


def _refuse(family: Family, which: str) -> list[str]:
    """A reset for TCP: a host without any address of its own would not hear an ICMP error about its own packet."""
    icmp = "icmp" if family.name == IPV4 else "icmpv6"
    return [f"{which} meta l4proto tcp reject with tcp reset", f"{which} reject with {icmp} port-unreachable"]


def _hook(where: str, rules: Sequence[str]) -> list[str]:
    return [f"type {where}; policy accept;", *rules]
