"""What a browser may tell of its terminal."""

from __future__ import annotations

import pytest

from skerry.portal.streams.terminal import size_of


@pytest.mark.parametrize(
    ("text", "size"),
    [('{"columns": 80, "rows": 24}', (80, 24)), ('{"columns": 0, "rows": 24}', None), ('{"columns": 80}', None),
     ("[]", None), ("keys", None), ('{"columns": 1e9, "rows": 2}', None), ('{"columns": "x", "rows": 2}', None)],
)  # fmt: skip
def test_sizes(text: str, size: tuple[int, int] | None) -> None:
    assert size_of(text) == size
