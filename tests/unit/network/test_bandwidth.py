"""What annotations limit, and what is refused."""

from __future__ import annotations

import pytest

from skerry.engine.network.bandwidth.limits import EGRESS, INGRESS, NONE, Limits, bucket, limits_of
from skerry.kube.objects import Obj


def pod(**annotations: str) -> Obj:
    names = {"ingress": INGRESS, "egress": EGRESS}
    return {"metadata": {"name": "a", "annotations": {names[key]: value for key, value in annotations.items()}}}


def test_quantities_are_bits_per_second() -> None:
    assert limits_of(pod(ingress="10M", egress="1.5k")) == Limits(10_000_000, 1500)
    assert limits_of(pod(egress="1Ki")) == Limits(0, 1024)
    assert limits_of(pod(ingress="1P")).ingress == 10**15
    assert limits_of(pod()) is NONE


@pytest.mark.parametrize(
    ("value", "complaint"),
    [("999", "unreasonably small"), ("1001T", "unreasonably large"), ("fast", "quantities must")],
)
def test_what_kubernetes_refuses(value: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        limits_of(pod(egress=value))
    assert str(caught.value).startswith("kubernetes.io/egress-bandwidth: ")


def test_buckets_hold_some_packets_or_a_moment() -> None:
    assert bucket(1000) == (1000, 16_000)
    assert bucket(100_000_000) == (100_000_000, 125_000)
    assert bucket(10**15) == (10**12, 125_000_000)
