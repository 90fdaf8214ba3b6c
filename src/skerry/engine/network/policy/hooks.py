"""Where the policies' table hooks into the kernel, and what holds for every pod whatever policies say. Pure.

`entering`: what comes from a pod's interface has that pod's address as its source, an address that is a pod's comes
from that pod's interface only, and pods that are not known (yet, or any more) say nothing. Pods have no IPv6: what they
send over it is dropped, because the host's end of their interfaces would answer. `metadata`: the addresses at which
clouds tell a machine its secrets are refused to pods, but for names (port 53, where some clouds have their resolvers)
and for namespaces that an administrator has opened. Looked at after translation, so no Service leads there.

Then policies: `leaving` and `reaching` judge what is forwarded, `to_host` what pods ask of the machine itself. What the
machine asks of its pods is always allowed, as Kubernetes wants it; `from_host` only cuts replies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skerry.engine.config import EngineConfig

KNOWN, LINKS, OPENED, OWN = "known", "links", "opened", "own"
TYPES = {LINKS: "ifname", OWN: "ipv4_addr . ipv4_addr"}
"""Of sets that are not of addresses."""
METADATA = ("100.100.100.200", "168.63.129.16", "169.254.0.0/16", "192.0.0.192")
"""Alibaba; Azure's wire server; link-local: AWS, Azure, GCP, OpenStack, Oracle, DigitalOcean, Hetzner; older Oracle."""
_JUDGED = "ct original ip saddr . ct reply ip saddr @own accept"
_UNTRACKED = "ct state invalid,untracked"


def hooks_of(config: EngineConfig) -> Mapping[str, Sequence[str]]:
    """The chains that are the same whatever there is."""
    pods = config.pod_cidr
    metadata = f"ct direction original ip saddr {pods} ip daddr {{ {', '.join(METADATA)} }} jump metadata"
    return {
        "metadata": _METADATA_RULES,
        "entering": _hook("prerouting priority raw", _entering(config, pods)),
        "leaving": _hook("forward priority filter + 1", [metadata, *_LEAVING]),
        "reaching": _hook("forward priority filter + 2", _REACHING),
        "to_host": _hook("input priority filter + 1", [metadata, f"ct direction original {_EGRESS}"]),
        "from_host": _hook("output priority filter + 1", [f"ct direction reply {_EGRESS}"]),
    }


_EGRESS = "ct original ip saddr vmap @egress"
_LEAVING = (_JUDGED, f"{_UNTRACKED} ip saddr vmap @egress", _EGRESS)
_REACHING = (_JUDGED, f"{_UNTRACKED} ip daddr vmap @ingress", "ct reply ip saddr vmap @ingress")
_METADATA_RULES = (
    f"ip saddr @{OPENED} return",
    "meta l4proto { tcp, udp } th dport 53 return",
    "meta l4proto tcp reject with tcp reset",
    "reject with icmp admin-prohibited",
)


def _entering(config: EngineConfig, pods: str) -> list[str]:
    """The route to an address must lead out where the packet came in."""
    return [
        *([] if config.pod_cidr6 else [f"iifname @{LINKS} meta nfproto ipv6 drop"]),
        f"iifname @{LINKS} ip saddr != {pods} drop",
        'iifname "lo" return',
        f"ip saddr {pods} fib saddr . iif oif missing drop",
        f"ip saddr {pods} ip saddr != @{KNOWN} drop",
    ]


def _hook(where: str, rules: Sequence[str]) -> list[str]:
    return [f"type filter hook {where}; policy accept;", *rules]
