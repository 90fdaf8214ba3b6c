"""NetworkPolicy. Source: `SetDefaults_NetworkPolicy`, `ValidateNetworkPolicySpec`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.engine.schema.label_selectors import check_label_selector
from skerry.engine.schema.pods.containers import PROTOCOLS
from skerry.engine.schema.pods.probes import check_port
from skerry.engine.schema.strategies import CountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_TYPES = ("Egress", "Ingress")
_DIRECTIONS = (("ingress", "from"), ("egress", "to"))


class NetworkPolicyStrategy(CountedStrategy):
    """What pods may be spoken to by and may speak to."""

    def default(self, obj: Obj) -> None:
        """Ingress always, egress if there are rules for it; TCP."""
        spec = obj.setdefault("spec", {})
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress"] + (["Egress"] if spec.get("egress") else [])
        for direction, _ in _DIRECTIONS:
            for rule in spec.get(direction) or ():
                for port in rule.get("ports") or ():
                    set_default(port, "protocol", "TCP")

    def validate(self, obj: Obj) -> list[Cause]:
        """Selectors, peers and ports."""
        return list(_check_spec(obj.get("spec") or {}))


def _check_spec(spec: Obj) -> Iterator[Cause]:
    yield from check_label_selector(spec.get("podSelector") or {}, "spec.podSelector")
    for index, kind in enumerate(spec.get("policyTypes") or ()):
        if kind not in _TYPES:
            yield not_supported(f"spec.policyTypes[{index}]", kind, _TYPES)
    for direction, peers in _DIRECTIONS:
        for index, rule in enumerate(spec.get(direction) or ()):
            field = f"spec.{direction}[{index}]"
            for place, port in enumerate(rule.get("ports") or ()):
                yield from _check_rule_port(port, f"{field}.ports[{place}]")
            for place, peer in enumerate(rule.get(peers) or ()):
                yield from _check_peer(peer, f"{field}.{peers}[{place}]")


def _check_rule_port(port: Obj, field: str) -> Iterator[Cause]:
    if port.get("protocol") not in PROTOCOLS:
        yield not_supported(f"{field}.protocol", port.get("protocol", ""), PROTOCOLS)
    first, last = port.get("port"), port.get("endPort")
    if first is not None:
        yield from check_port(first, f"{field}.port")
    if last is None:
        return
    if not isinstance(first, int):
        yield required(f"{field}.port", "must be specified as a number when `endPort` is")
    elif last < first:
        yield invalid(f"{field}.endPort", last, "must be greater than or equal to `port`")
    if complaint := names.port_number(last):
        yield invalid(f"{field}.endPort", last, complaint)


def _check_peer(peer: Obj, field: str) -> Iterator[Cause]:
    if not peer:
        yield required(field, "must specify a peer")
    for part in ("podSelector", "namespaceSelector"):
        yield from check_label_selector(peer.get(part) or {}, f"{field}.{part}")
    block = peer.get("ipBlock")
    if block is None:
        return
    if len(peer) > 1:
        yield forbidden(field, "may not specify both ipBlock and another peer")
    yield from _check_block(block, f"{field}.ipBlock")


def _check_block(block: Obj, field: str) -> Iterator[Cause]:
    why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    whole = _network(block.get("cidr") or "")
    if whole is None:
        yield invalid(f"{field}.cidr", block.get("cidr", ""), why)
        return
    for index, text in enumerate(block.get("except") or ()):
        inside = _network(text)
        if inside is None:
            yield invalid(f"{field}.except[{index}]", text, why)
        elif inside.version != whole.version or not inside.subnet_of(whole) or inside == whole:  # type: ignore[arg-type]
            yield invalid(f"{field}.except[{index}]", text, f'must be a strict subset of `cidr`: "{block["cidr"]}"')


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None
