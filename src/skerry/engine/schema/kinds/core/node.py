"""Node. Source: `pkg/registry/core/node/strategy.go`, `ValidateNode`, `ValidateNodeUpdate`."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, not_supported, required
from skerry.engine.schema.pods.scheduling import EFFECTS
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_SET_ONCE = {"podCIDRs": "podCIDR", "providerID": "providerID"}
_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


class NodeStrategy(UncountedStrategy):
    """A node registers itself with a status, so creation keeps it."""

    def prepare_create(self, obj: Obj) -> None:
        """Kubelets create nodes complete with status."""
        obj.setdefault("spec", {})

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """A status writer may also set labels and annotations, as kubelets do."""
        labels = new["metadata"].get("labels")
        super().prepare_status(new, old)
        if labels:
            new["metadata"]["labels"] = labels

    def default(self, obj: Obj) -> None:
        """Allocatable is the capacity unless said otherwise; `podCIDR` is the first of `podCIDRs`."""
        _keep_in_step(obj.get("spec") or {})
        status = obj.get("status")
        if status and status.get("capacity"):
            set_default(status, "allocatable", dict(status["capacity"]))

    def validate(self, obj: Obj) -> list[Cause]:
        """Taints and the addresses of its pods."""
        spec = obj.get("spec") or {}
        return [*_check_taints(spec.get("taints") or []), *_check_pod_ranges(spec.get("podCIDRs") or [])]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Addresses and provider, once set, stay."""
        after, before = new.get("spec") or {}, old.get("spec") or {}
        return [
            forbidden(f"spec.{part}", f'node updates may not change {name} except from "" to valid')
            for part, name in _SET_ONCE.items()
            if before.get(part) and after.get(part) != before[part]
        ]


def _keep_in_step(spec: Obj) -> None:
    """As Kubernetes' conversion does: the one field is the older, and counts where they differ."""
    first, ranges = spec.get("podCIDR"), spec.get("podCIDRs") or []
    if first and ranges[:1] != [first]:
        spec["podCIDRs"] = [first]
    elif ranges and not first:
        spec["podCIDR"] = ranges[0]


def _check_pod_ranges(ranges: list[str]) -> Iterator[Cause]:
    networks = [_network(text) for text in ranges]
    for index, (text, network) in enumerate(zip(ranges, networks, strict=True)):
        if network is None:
            yield invalid(f"spec.podCIDRs[{index}]", text, _CIDR)
    versions = [network.version for network in networks if network]
    if len(versions) > len(set(versions)):
        yield invalid("spec.podCIDRs", ranges, "may specify no more than one CIDR for each IP family")


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _check_taints(taints: list[Obj]) -> Iterator[Cause]:
    seen = set()
    for index, taint in enumerate(taints):
        field = f"spec.taints[{index}]"
        key, effect = taint.get("key") or "", taint.get("effect")
        if complaint := names.qualified_name(key):
            yield invalid(f"{field}.key", key, complaint)
        if complaint := names.label_value(taint.get("value") or ""):
            yield invalid(f"{field}.value", taint["value"], complaint)
        if not effect:
            yield required(f"{field}.effect")
        elif effect not in EFFECTS:
            yield not_supported(f"{field}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            yield duplicate(field, taint)
        seen.add((key, effect))
