"""The one nftables table of an instance, as text that replaces the whole table in one transaction. Pure.

How a packet travels: `prerouting` (from pods and from outside) and `output` (from the host itself) look up its
destination in `virtual` (address, protocol, port) or `exposed` (protocol, port; only for the host's own addresses)
and go to the chain of that forward, which picks a backend at random. What is left for the service range afterwards
has no endpoints and is refused at once, which clients see as "connection refused". `guard` drops, before
connection tracking, what comes from outside for a loopback address: it makes `route_localnet` on pod interfaces safe
(docs/decisions/0014-loopback-node-ports.md). Replies are translated back after `guard`, so they pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from skerry.engine.config import EngineConfig
from skerry.engine.network.cni import pod_gateway
from skerry.engine.network.services import Forward

_SAFE_NAME = re.compile(r"(svc|pod)/[a-z0-9.-]+/[a-z0-9.-]+/[a-z]+-[0-9.-]+")


def render(config: EngineConfig, wanted: Sequence[Forward]) -> str:
    """Input for `nft -f -`. The same forwards always give the same text."""
    usable = [one for one in wanted if _SAFE_NAME.fullmatch(one.name)]
    served, refused = [one for one in usable if one.backends], [one for one in usable if not one.backends]
    body = "\n".join(
        [
            _map("virtual", "ipv4_addr . inet_proto . inet_service", _virtual(served)),
            _map("exposed", "inet_proto . inet_service", _exposed(served)),
            _set("refused", "inet_proto . inet_service", sorted({key for one in refused for key in _exposed([one])})),
            _set("hairpin", "ipv4_addr . ipv4_addr", _hairpin(config, served)),
            *(_chain(one.name, [_choose(one)]) for one in served),
            _lookups(config),
            _hooks(config),
        ]
    )
    table = f"table inet {config.nft_table}"
    return f"{table}\ndelete {table}\n{table} {{\n{body}\n}}\n"


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


def _choose(one: Forward) -> str:
    """`meta l4proto` must come first: nft refuses a port in `dnat` for packets of unknown protocol."""
    if len(one.backends) == 1:
        target = f"{one.backends[0].address}:{one.backends[0].port}"
    else:
        number = "jhash ip saddr" if one.sticky else "numgen random"
        targets = ", ".join(f"{n} : {where.address} . {where.port}" for n, where in enumerate(one.backends))
        target = f"{number} mod {len(one.backends)} map {{ {targets} }}"
    return f"meta l4proto {one.protocol} dnat ip to {target}"


def _lookups(config: EngineConfig) -> str:
    """The first instance answers on every address of the host, another one only on its own loopback address."""
    ours = config.loopback_address
    if config.index == 0:
        where = [f"ip daddr 127.0.0.0/8 ip daddr != {ours} return", "fib daddr type local"]
    else:
        where = [f"ip daddr {ours}"]
    where[-1] += " meta l4proto . th dport vmap @exposed"
    return _chain("lookups", ["ip daddr . meta l4proto . th dport vmap @virtual", *where])


def _hooks(config: EngineConfig) -> str:
    pods, local = (
        config.pod_cidr,
        "fib daddr type local" if config.index == 0 else f"ip daddr {config.loopback_address}",
    )
    refuse = _refuse(f"ip daddr {config.service_cidr}")
    refuse_exposed = _refuse(f"{local} meta l4proto . th dport @refused")
    loopback = [f'iifname != "lo" ip {side} 127.0.0.0/8 drop' for side in ("daddr", "saddr")]
    masquerade = [
        "ip saddr . ip daddr @hairpin masquerade",
        f"ct status dnat ip daddr {pods} fib saddr type local masquerade",
        f'ip saddr {pods} ip daddr != {pods} oifname != "lo" masquerade',
    ]
    return "\n".join(
        [
            _hook("guard", "filter hook prerouting priority raw", loopback),
            _hook("prerouting", "nat hook prerouting priority dstnat", ["jump lookups"]),
            _hook("output", "nat hook output priority -100", ["jump lookups"]),
            _hook("postrouting", "nat hook postrouting priority srcnat", masquerade),
            _hook("forward", "filter hook forward priority filter", refuse),
            _hook("outgoing", "filter hook output priority filter", refuse),
            _hook("incoming", "filter hook input priority filter", [_only_pods(config), *refuse_exposed]),
        ]
    )


def _only_pods(config: EngineConfig) -> str:
    """What listens on the host's end of pod interfaces, DNS above all, is for this instance's pods and the host."""
    return f'iifname != "lo" ip daddr {pod_gateway(config)} ip saddr != {config.pod_cidr} drop'


def _refuse(which: str) -> list[str]:
    """A reset for TCP: a host without any address of its own would not hear an ICMP error about its own packet."""
    return [f"{which} meta l4proto tcp reject with tcp reset", f"{which} reject with icmp port-unreachable"]


def _map(name: str, key: str, targets: Mapping[str, str]) -> str:
    elements = ", ".join(f"{key} : goto {chain}" for key, chain in sorted(targets.items()))
    return _collection("map", name, f"{key} : verdict", elements)


def _set(name: str, key: str, elements: Sequence[str]) -> str:
    return _collection("set", name, key, ", ".join(elements))


def _collection(sort: str, name: str, kind: str, elements: str) -> str:
    content = f"elements = {{ {elements} }}\n" if elements else ""
    return f"{sort} {name} {{\ntype {kind}\n{content}}}"


def _hook(name: str, where: str, rules: Sequence[str]) -> str:
    return _chain(name, [f"type {where}; policy accept;", *rules])


def _chain(name: str, rules: Sequence[str]) -> str:
    return "\n".join([f"chain {name} {{", *rules, "}"])
