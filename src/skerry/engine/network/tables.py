"""The one nftables table of an instance, from forwards. Pure; `loading` turns it into text for `nft`.

How a packet travels: `prerouting` (from pods and from outside) and `output` (from the host itself) look up its
destination in `virtual` (address, protocol, port) or `exposed` (protocol, port; only for the host's own addresses)
and go to the chain of that forward, which picks a backend at random. What is left for the service range afterwards
has no endpoints and is refused at once, which clients see as "connection refused"; so is what is left for an address
`balanced` by us, one that a load balancer lent to a Service. `guard` drops, before
connection tracking, what comes from outside for a loopback address: it makes `route_localnet` on pod interfaces safe
(docs/decisions/0014-loopback-node-ports.md). Replies are translated back after `guard`, so they pass.

A forward with affinity has, for each backend, a chain of its own and a set of the clients that came to it, which the
kernel fills and empties; whoever is in such a set goes to that backend.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from skerry.engine.config import EngineConfig
from skerry.engine.network.cni import pod_gateway
from skerry.engine.network.services import Backend, Forward

_SAFE_NAME = re.compile(r"(svc|ext|lb|pod)/[a-z0-9.-]+/[a-z0-9.-]+/[a-z]+-[0-9.-]+")

MAP_KEYS = {"virtual": "ipv4_addr . inet_proto . inet_service", "exposed": "inet_proto . inet_service"}
SET_KEYS = {
    "refused": "inet_proto . inet_service",
    "hairpin": "ipv4_addr . ipv4_addr",
    "balanced": "ipv4_addr",
}


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


def table_of(config: EngineConfig, wanted: Sequence[Forward]) -> Table:
    """The table for these forwards; the same ones always give the same."""
    usable = [one for one in wanted if _SAFE_NAME.fullmatch(one.name)]
    served, refused = [one for one in usable if one.backends], [one for one in usable if not one.backends]
    chains: dict[str, Sequence[str]] = {}
    affinity: dict[str, int] = {}
    for one in served:
        if one.affinity_seconds:
            affinity |= {_clients_of(one, backend): one.affinity_seconds for backend in one.backends}
            chains |= {_chain_of(one, backend): _remembering(one, backend) for backend in one.backends}
        chains[one.name] = [*_admitting(one), *(_sticking(one) if one.affinity_seconds else [_choose(one)])]
    return Table(
        maps={"virtual": _virtual(served), "exposed": _exposed(served)},
        sets={
            "refused": frozenset(key for one in refused for key in _exposed([one])),
            "hairpin": frozenset(_hairpin(config, served)),
            "balanced": frozenset(address for one in usable for address in one.balanced),
        },
        affinity=affinity,
        chains=chains,
        hooks=_hooks(config),
    )


def _virtual(served: Iterable[Forward]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in served:
        for address in one.addresses:
            found.setdefault(f"{address} . {one.protocol} . {one.port}", one.name)
    return found


def _exposed(served: Iterable[Forward]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in served:
        if one.host_port:
            found.setdefault(f"{one.protocol} . {one.host_port}", one.name)
    return found


def _hairpin(config: EngineConfig, served: Iterable[Forward]) -> list[str]:
    """Pods that may reach themselves through a service: they would drop packets that carry their own address."""
    addresses = {backend.address for one in served for backend in one.backends} - {config.node_ip}
    return [f"{address} . {address}" for address in sorted(addresses)]


def _admitting(one: Forward) -> list[str]:
    """Only connections begin here, so those that are open when the ranges change stay open."""
    if one.sources is None:
        return []
    return [f"ip saddr != {{ {', '.join(one.sources)} }} drop" if one.sources else "drop"]


def _choose(one: Forward) -> str:
    """`meta l4proto` must come first: nft refuses a port in `dnat` for packets of unknown protocol."""
    if len(one.backends) == 1:
        return _to_backend(one, one.backends[0])
    targets = ", ".join(f"{n} : {where.address} . {where.port}" for n, where in enumerate(one.backends))
    return f"meta l4proto {one.protocol} dnat ip to numgen random mod {len(one.backends)} map {{ {targets} }}"


def _to_backend(one: Forward, backend: Backend) -> str:
    return f"meta l4proto {one.protocol} dnat ip to {backend.address}:{backend.port}"


def _sticking(one: Forward) -> list[str]:
    """Known clients to where they were, all others anywhere."""
    known = [f"ip saddr @{_clients_of(one, backend)} goto {_chain_of(one, backend)}" for backend in one.backends]
    targets = ", ".join(f"{n} : goto {_chain_of(one, backend)}" for n, backend in enumerate(one.backends))
    return [*known, f"numgen random mod {len(one.backends)} vmap {{ {targets} }}"]


def _remembering(one: Forward, backend: Backend) -> list[str]:
    """`update` starts the time anew with every connection."""
    return [f"update @{_clients_of(one, backend)} {{ ip saddr }}", _to_backend(one, backend)]


def _chain_of(one: Forward, backend: Backend) -> str:
    return f"to/{one.name}/{backend.address}-{backend.port}"


def _clients_of(one: Forward, backend: Backend) -> str:
    """The time is part of the name: that of a set cannot be changed."""
    return f"of/{one.name}/{backend.address}-{backend.port}/{one.affinity_seconds}"


def _lookups(config: EngineConfig) -> list[str]:
    """The first instance answers on every address of the host, another one only on its own loopback address."""
    ours = config.loopback_address
    if config.index == 0:
        where = [f"ip daddr 127.0.0.0/8 ip daddr != {ours} return", "fib daddr type local"]
    else:
        where = [f"ip daddr {ours}"]
    where[-1] += " meta l4proto . th dport vmap @exposed"
    return ["ip daddr . meta l4proto . th dport vmap @virtual", *where]


def _hooks(config: EngineConfig) -> dict[str, Sequence[str]]:
    pods, local = (
        config.pod_cidr,
        "fib daddr type local" if config.index == 0 else f"ip daddr {config.loopback_address}",
    )
    refuse = [*_refuse(f"ip daddr {config.service_cidr}"), *_refuse("ip daddr @balanced")]
    refuse_exposed = _refuse(f"{local} meta l4proto . th dport @refused")
    loopback = [f'iifname != "lo" ip {side} 127.0.0.0/8 drop' for side in ("daddr", "saddr")]
    masquerade = [
        "ip saddr . ip daddr @hairpin masquerade",
        f"ct status dnat ip daddr {pods} fib saddr type local masquerade",
        f'ip saddr {pods} ip daddr != {pods} oifname != "lo" masquerade',
    ]
    return {
        "lookups": _lookups(config),
        "guard": _hook("filter hook prerouting priority raw", loopback),
        "prerouting": _hook("nat hook prerouting priority dstnat", ["jump lookups"]),
        "output": _hook("nat hook output priority -100", ["jump lookups"]),
        "postrouting": _hook("nat hook postrouting priority srcnat", masquerade),
        "forward": _hook("filter hook forward priority filter", refuse),
        "outgoing": _hook("filter hook output priority filter", refuse),
        "incoming": _hook("filter hook input priority filter", [*_only_pods(config), *refuse_exposed]),
    }


def _only_pods(config: EngineConfig) -> list[str]:
    """What listens on the host's end of pod interfaces is for this instance's pods and the host: DNS above all, which
    has a virtual address. Others come only where a node port or a load balancer's address leads them."""
    others = f'iifname != "lo" ip daddr {pod_gateway(config)} ip saddr != {config.pod_cidr}'
    return [
        f"{others} ct status & dnat != dnat drop",
        f"{others} ct original ip daddr {config.service_cidr} drop",
    ]


def _refuse(which: str) -> list[str]:
    """A reset for TCP: a host without any address of its own would not hear an ICMP error about its own packet."""
    return [f"{which} meta l4proto tcp reject with tcp reset", f"{which} reject with icmp port-unreachable"]


def _hook(where: str, rules: Sequence[str]) -> list[str]:
    return [f"type {where}; policy accept;", *rules]
