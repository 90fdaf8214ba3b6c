"""Quantities: values, the spelling Kubernetes stores, and what it refuses."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.quantities import bytes_of, canonical, millicores, parse_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("0.5", Decimal("0.5")), (".5", Decimal("0.5")), ("5.", 5), ("100m", Decimal("0.1")), ("1Ki", 1024),
        ("1.5Gi", 1610612736), ("2k", 2000), ("1e3", 1000), ("1E3", 1000), ("5E", 5 * 10**18), ("-1", -1), ("+2", 2),
        ("1e-12", Decimal("1e-9")), ("1e99", 2**63 - 1), (3, 3), (0.25, Decimal("0.25")),
    ],
)  # fmt: skip
def test_value(text: str | float, value: object) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", ["", "abc", "1 Gi", "1gi", "Gi", "1.2.3", "1\n", "٣", "1e", "--1", "NaN", "Infinity"])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantities must match|unable to parse"):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("1000m", "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1500Mi", "1500Mi"), ("1.5Gi", "1536Mi"), ("0.5Ki", "512"),
        ("1000", "1k"), ("1024", "1024"), ("0", "0"), ("0Gi", "0"), ("-500m", "-500m"), ("1e3", "1e3"), ("10e2", "1e3"),
        ("12.5Mi", "12800Ki"), ("100u", "100u"), (2, "2"), (0.1, "100m"),
    ],
)  # fmt: skip
def test_canonical(text: str | float, spelling: str) -> None:
    assert canonical(text) == spelling


def test_huge_exponents_cost_nothing() -> None:
    assert bytes_of("1e999999999") == 2**63 - 1
    assert millicores("1e-999999999") == 1


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
SUFFIXES = st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e2", "e-3"])


@given(NUMBERS, SUFFIXES)
def test_canonical_keeps_the_value_and_settles(number: Decimal, suffix: str) -> None:
    text = f"{number:f}{suffix}"
    assert parse_quantity(canonical(text)) == parse_quantity(text)
    assert canonical(canonical(text)) == canonical(text)


@given(st.text(max_size=12) | st.text(alphabet="0123456789.eEinumkKMGTP+-", max_size=12))
def test_garbage_is_refused_or_understood(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_quantity(canonical(text)) == parse_quantity(text)
