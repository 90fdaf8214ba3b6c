"""How deep values may nest, whatever else is in them."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema.depth import MAX_DEPTH, check_depth
from skerry.kube.errors import BadRequest


def nested(depth: int, beside: Any = "[{") -> Any:
    value: Any = {"beside": beside}
    for number in range(depth - 1):
        value = [value] if number % 2 else {"a": value}
    return value


@pytest.mark.parametrize("beside", ["x", "[{" * MAX_DEPTH])
def test_the_limit_is_exact(beside: str) -> None:
    check_depth(nested(MAX_DEPTH, beside))
    with pytest.raises(BadRequest, match="exceeded max depth"):
        check_depth(nested(MAX_DEPTH + 1, beside))


def test_deeper_than_json_libraries_go() -> None:
    with pytest.raises(BadRequest, match="exceeded max depth"):
        check_depth(nested(100_000))


def test_broad_values_are_not_deep() -> None:
    check_depth({"items": [{"a": [{}]} for _ in range(1000)]})
    check_depth("a text")
