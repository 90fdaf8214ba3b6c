"""Helm's notes are read as Helm writes them, and no further than they should be."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from skerry.portal.apps.revisions import RevisionUnreadable, as_yaml, difference, manifest_in, secret_name, values_in


def _secret(content: bytes) -> dict[str, object]:
    return {"data": {"release": base64.b64encode(base64.b64encode(gzip.compress(content))).decode()}}


def test_what_a_revision_was_given() -> None:
    noted = _secret(json.dumps({"name": "notebook", "config": {"size": 3}, "manifest": "kind: Pod\n"}).encode())
    assert values_in(noted) == {"size": 3}
    assert manifest_in(noted) == "kind: Pod\n"
    assert secret_name("notebook", 3) == "sh.helm.release.v1.notebook.v3"
    assert values_in(_secret(b"{}")) == {}


@pytest.mark.parametrize(
    "secret",
    [{}, {"data": {"release": "!"}}, {"data": {"release": base64.b64encode(b"aGk=").decode()}}, _secret(b"no JSON"),
     _secret(bytes(21 * 1024**2))],
)  # fmt: skip
def test_what_is_no_note_is_refused(secret: dict[str, object]) -> None:
    with pytest.raises(RevisionUnreadable):
        values_in(secret)


def test_differences_line_by_line() -> None:
    before, after = as_yaml({"size": 3, "name": "a", "x": {"y": 1}}), as_yaml({"size": 4, "name": "a", "x": {"y": 1}})
    lines = [(one.kind, one.text) for one in difference(before, after)]
    assert lines[0][0] == "where"
    assert [one for one in lines if one[0] in ("added", "removed")] == [("removed", "size: 3"), ("added", "size: 4")]
    assert difference(before, before) == []
    assert as_yaml({}) == ""


def test_long_texts_are_compared_in_no_time() -> None:
    """Comparing lines that come again and again takes time by the square, and more."""
    old = [f"k{number % 120}: 1" for number in range(20_000)]
    new = [f"k{(number * 7 + number // 120) % 120}: 1" for number in range(20_000)]
    lines = difference("\n".join(old), "\n".join(new))
    assert (lines[0].kind, lines[1].kind, len(lines)) == ("where", "removed", 5000)
    one_more = difference("\n".join(old), "\n".join([*old[:9000], "new: 1", *old[9000:]]))
    assert [(one.kind, one.text) for one in one_more] == [("where", "@@ 9001 @@"), ("added", "new: 1")]
    assert difference("\n".join(old), "\n".join(old)) == []
