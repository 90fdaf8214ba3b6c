"""What a pod's annotations limit. Pure. Source: Kubernetes' `pkg/util/bandwidth` and its annotations
`kubernetes.io/ingress-bandwidth` and `kubernetes.io/egress-bandwidth`."""

from __future__ import annotations

from dataclasses import dataclass

from skerry.kube.objects import Obj, annotations_of
from skerry.kube.quantities import parse_quantity

INGRESS, EGRESS = "kubernetes.io/ingress-bandwidth", "kubernetes.io/egress-bandwidth"
_LEAST, _MOST = 1000, 10**15
_QUICKEST = 10**12  # bits per second: no interface here is, and the kernel counts no further
_PACKETS = 16_000  # bytes: some packets must pass at once, or none would
_MOMENTS = 100  # of a second are let through at once, so that wake-ups that come late lose nothing
_MOST_AT_ONCE = 125_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bits per second into the pod and out of it; 0 for no limit."""

    ingress: int = 0
    egress: int = 0


NONE = Limits()


def limits_of(pod: Obj) -> Limits:
    """Raises ValueError that says what is wrong with which annotation."""
    annotations = annotations_of(pod)
    if INGRESS not in annotations and EGRESS not in annotations:
        return NONE
    return Limits(_rate(annotations, INGRESS), _rate(annotations, EGRESS))


def bucket(rate: int) -> tuple[int, int]:
    """Rate in bits per second and burst in bytes, as tbf takes them."""
    rate = min(rate, _QUICKEST)
    return rate, min(max(rate // 8 // _MOMENTS, _PACKETS), _MOST_AT_ONCE)


def _rate(annotations: dict[str, str], name: str) -> int:
    if name not in annotations:
        return 0
    try:
        rate = parse_quantity(annotations[name])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if rate < _LEAST:
        raise ValueError(f"{name}: resource is unreasonably small (< 1kbit)")
    if rate > _MOST:
        raise ValueError(f"{name}: resource is unreasonably large (> 1Pbit)")
    return int(rate)
