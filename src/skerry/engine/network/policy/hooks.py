"""Where the policies' table hooks into the kernel, and what holds for every pod whatever policies say. Pure.

`entering`: what comes from a pod's interface has that pod's address as its source, an address that is a pod's comes
from that pod's interface only, and pods that are not known (yet, or any more) say nothing. Where pods have no IPv6,
what they send over it is dropped, because the host's end of their interfaces would answer. `refusing`: the addresses at
which clouds tell a machine its secrets are refused to pods, but for names (port 53, where some clouds have their
resolvers) and for namespaces that an administrator has opened. Looked at after translation: no Service leads there.

Then policies: `leaving` and `reaching` judge what is forwarded, `to_host` what pods ask of the machine itself. What the
machine asks of its pods is always allowed, as Kubernetes wants it; `from_host` only cuts replies, and keeps the
Ingress, whose upstreams tenants choose, from the metadata addresses and from the machine's loopback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address

from skerry.engine.config import EngineConfig
from skerry.engine.network.family import IPV4, IPV6, Family, families_of
from skerry.engine.network.ingress.user import user_of
from skerry.engine.network.policy.naming import of_family

EGRESS, INGRESS = "egress", "ingress"
LINKS = "links"
KNOWN, OPENED, OWN = "known", "opened", "own"
"""There is one for each family."""
METADATA = {
    IPV4: ("100.100.100.200", "168.63.129.16", "169.254.0.0/16", "192.0.0.192"),
    IPV6: ("fd00:ec2::/64", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"),
}
"""Alibaba; Azure's wire server; link-local: AWS, Azure, GCP, OpenStack, Oracle, DigitalOcean, Hetzner; older Oracle.
AWS; GCP; Oracle; Scaleway."""
_UNTRACKED = "ct state invalid,untracked"
_NEIGHBOURS = "{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }"


def hooks_of(config: EngineConfig) -> Mapping[str, Sequence[str]]:
    """The chains that are the same whatever there is."""
    families = families_of(config)
    secrets = [_secrets(one) for one in families]
    return {
        "refusing": [f"{one.word} saddr @{of_family(OPENED, one)} return" for one in families] + _REFUSING,
        "entering": _hook("prerouting priority raw", _entering(families)),
        "leaving": _hook("forward priority filter + 1", [*secrets, *_each(families, _leaving)]),
        "reaching": _hook("forward priority filter + 2", _each(families, _reaching)),
        "to_host": _hook("input priority filter + 1", [*secrets, *_one_way("original", families)]),
        "from_host": _hook("output priority filter + 1", [*_for_ingress(config), *_one_way("reply", families)]),
    }


_REFUSING = [
    "meta l4proto { tcp, udp } th dport 53 return",
    "meta l4proto tcp reject with tcp reset",
    "reject with icmpx admin-prohibited",
]


def types_of(config: EngineConfig) -> Mapping[str, str]:
    """The nft types of the maps and sets that are always there."""
    types = {LINKS: "ifname"}
    for one in families_of(config):
        kind = one.address_type
        types |= {of_family(name, one): f"{kind} : verdict" for name in (EGRESS, INGRESS)}
        types |= {of_family(name, one): kind for name in (KNOWN, OPENED)}
        types[of_family(OWN, one)] = f"{kind} . {kind}"
    return types


def _entering(families: Sequence[Family]) -> list[str]:
    """The route to an address must lead out where the packet came in."""
    here = f"iifname @{LINKS}"
    if len(families) > 1:
        kinds = [f"{here} ip6 saddr {{ ::, fe80::/10 }} icmpv6 type {_NEIGHBOURS} accept"]
    else:
        kinds = [f"{here} meta nfproto ipv6 drop"]
    return [
        *kinds,
        *(f"{here} {one.word} saddr != {one.pods} drop" for one in families),
        'iifname "lo" return',
        *(f"{one.word} saddr {one.pods} fib saddr . iif oif missing drop" for one in families),
        *(f"{one.word} saddr {one.pods} {one.word} saddr != @{of_family(KNOWN, one)} drop" for one in families),
    ]


def _secrets(one: Family) -> str:
    where = f"{one.word} saddr {one.pods} {one.word} daddr {{ {', '.join(METADATA[one.name])} }}"
    return f"ct direction original {where} jump refusing"


def _for_ingress(config: EngineConfig) -> Iterator[str]:
    """Tenants say where the Ingress sends requests: neither to the cloud nor to what the machine keeps to itself."""
    caddy = f"meta skuid {user_of(config)} ct direction original"
    for one in families_of(config):
        yield f"{caddy} {one.word} daddr {{ {', '.join(METADATA[one.name])} }} jump refusing"
    if not ip_address(config.node_ip).is_loopback:
        yield f"{caddy} ip daddr 127.0.0.0/8 jump refusing"
    yield f"{caddy} ip6 daddr ::1 jump refusing"


def _leaving(one: Family) -> Iterator[str]:
    yield _to_itself(one)
    yield f"{_UNTRACKED} {one.word} saddr vmap @{of_family(EGRESS, one)}"
    yield _asked(one)


def _reaching(one: Family) -> Iterator[str]:
    yield _to_itself(one)
    yield f"{_UNTRACKED} {one.word} daddr vmap @{of_family(INGRESS, one)}"
    yield f"ct reply {one.word} saddr vmap @{of_family(INGRESS, one)}"


def _to_itself(one: Family) -> str:
    return f"ct original {one.word} saddr . ct reply {one.word} saddr @{of_family(OWN, one)} accept"


def _asked(one: Family) -> str:
    return f"ct original {one.word} saddr vmap @{of_family(EGRESS, one)}"


def _one_way(direction: str, families: Sequence[Family]) -> list[str]:
    return [f"ct direction {direction} {_asked(one)}" for one in families]


def _each(families: Sequence[Family], rules: Callable[[Family], Iterable[str]]) -> list[str]:
    return [rule for one in families for rule in rules(one)]


def _hook(where: str, rules: Sequence[str]) -> list[str]:
    return [f"type filter hook {where}; policy accept;", *rules]
