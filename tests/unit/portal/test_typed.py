"""Values that somebody typed: what is taken, and what would end the process is not."""

from __future__ import annotations

import pytest

from skerry.portal.forms.typed import LARGEST, Unreadable, values_of


def test_what_is_taken() -> None:
    assert values_of("") == {}
    assert values_of("# nothing\n") == {}
    assert values_of("a: {b: [1, 2.5, true, null, 'x']}\nü: '2026-01-01'\n") == {
        "a": {"b": [1, 2.5, True, None, "x"]},
        "ü": "2026-01-01",
    }


@pytest.mark.parametrize(
    ("text", "why", "line"),
    [
        ("a: 1\nb: [", "expected", 3),
        ("- a", "names with something behind each", 0),
        ("1: x", "names are text", 0),
        ("a: 2026-01-01", "in quotes", 0),
        ("a: .nan", "64 bits", 0),
        ("a: 99999999999999999999", "64 bits", 0),
        ("a: &x [1]\nb: [*x, *x]", "aliases", 2),
        ("a: " + "[" * 60 + "]" * 60, "inside of each other", 1),
        ("a: " + "[" * 200_000, "inside of each other", 1),
        ("a: " + "x" * LARGEST, "longer than", 0),
        ("a: !!python/object/apply:os.system [ls]", "constructor", 1),
        ("a: \x00", "character", 0),
    ],
)
def test_what_is_not(text: str, why: str, line: int) -> None:
    with pytest.raises(Unreadable, match=why) as refused:
        values_of(text)
    assert refused.value.line in (line, line - 1)
