"""Values from a command line."""

from __future__ import annotations

import click
import pytest

from skerry.cli.releases.values import values_of


def test_values_are_yaml_by_their_paths() -> None:
    assert values_of((), ("a.b=2", "a.c=2Gi", r"a\.b=x", "d=[1]")) == {"a": {"b": 2, "c": "2Gi"}, "a.b": "x", "d": [1]}


@pytest.mark.parametrize("pair", ["a", "=1", "a=["])
def test_what_is_none_is_wrong_usage(pair: str) -> None:
    with pytest.raises(click.UsageError, match="--set"):
        values_of((), (pair,))
