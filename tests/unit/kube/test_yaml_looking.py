"""What would end the process, or grow beyond all bounds, is refused before it is built."""

from __future__ import annotations

import pytest
import yaml

from skerry.kube.yaml_looking import look_first

_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 200_000, "inside of each other"),
        ("- " * 200_000, "inside of each other"),
        ("a: 1\n---\nb: " + "{c: " * 101 + "1" + "}" * 101, "inside of each other"),
        (_BOMB, "aliases stand for"),
        ("a: &a [*a]", "in itself"),
        ("a: [", "expected"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(yaml.YAMLError, match=why):
        look_first(text)


def test_what_people_write_passes() -> None:
    text = "base: &base {a: [1, 2]}\none: {<<: *base, b: *base}\n---\n" + "[" * 100 + "]" * 100
    look_first(text)
    look_first(text.encode())
    with pytest.raises(yaml.YAMLError, match="not taken"):
        look_first(text, aliases=False)
