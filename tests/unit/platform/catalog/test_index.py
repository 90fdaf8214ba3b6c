"""Indexes of other people's repositories."""

from __future__ import annotations

import pytest

from skerry.platform.catalog.charts.foreign_yaml import read_yaml
from skerry.platform.catalog.sources import index
from skerry.platform.catalog.sources.index import offered_in
from skerry.platform.catalog.sources.source import SourceFailed

URL = "https://charts.example/stable/index.yaml"
TEXT = b"""
apiVersion: v1
entries:
  web:
  - {name: web, version: 1.9.0, urls: [web-1.9.0.tgz], digest: ABC, created: 2024-01-02T03:04:05.123456789Z}
  - name: web
    version: 1.10.0
    appVersion: 7
    urls: ["https://cdn.example/web-1.10.0.tgz"]
    digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    created: 2024-02-02T03:04:05Z
    icon: https://charts.example/web.png
  - {name: web, version: not-one, urls: [x]}
  - nonsense
  Bad_Name:
  - {name: Bad_Name, version: 1.0.0, urls: [x]}
  base:
  - {name: base, version: 1.0.0, type: library, urls: [x]}
  odd:
  - {name: odd, version: 1.0.0, urls: ["file:///etc/passwd"]}
"""


async def test_an_index_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for small in (1 << 20, 0):  # here, and in a process of its own
        monkeypatch.setattr(index, "_SMALL", small)
        charts, skipped = await offered_in(TEXT, URL, [])
        assert list(charts) == ["web"]
        new, old = charts["web"]
        assert (new.facts.version, new.facts.app_version, new.url) == (
            "1.10.0",
            "7",
            "https://cdn.example/web-1.10.0.tgz",
        )
        assert (new.digest, new.facts.icon) == ("a" * 64, "https://charts.example/web.png")
        assert (old.url, old.digest) == ("https://charts.example/stable/web-1.9.0.tgz", "")
        assert old.created is not None
        assert old.created.year == 2024
        assert skipped == ["'Bad_Name' cannot be the name of a chart here"]
    assert await offered_in(TEXT, URL, ["other"]) == ({}, [])


@pytest.mark.parametrize("text", [b"[" * 100_000, b"a: b: c", b"<html>", b"entries: []", b"", b"\0"])
async def test_what_is_no_index_is_said(text: bytes) -> None:
    with pytest.raises(SourceFailed) as failed:
        await offered_in(text, URL, [])
    assert failed.value.reason == "BadIndex"


async def test_entries_that_name_each_other_are_as_small_as_they_are_written() -> None:
    bomb = b"a: &a [x, x]\n" + b"".join(b"b%d: &b%d [*%s, *%s]\n" % (n, n, p, p) for n, p in _pairs())
    charts, _ = await offered_in(bomb + b"entries: {web: [{version: 1.0.0, urls: [u], keywords: *b40}]}", URL, [])
    assert charts["web"][0].facts.keywords == ()


def _pairs() -> list[tuple[int, bytes]]:
    return [(n, b"a" if n == 0 else b"b%d" % (n - 1)) for n in range(41)]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (b"version: 1.10\nyes: 'true'\nno: true\nnothing: ~\nempty:\n", None),
        (b"a: &x {b: [1, *x]}\nc: *x\n", None),
        (b"- {a: b}\n- |\n  two\n  lines\n", [{"a": "b"}, "two\nlines\n"]),
        (b"one: 1\n---\ntwo: 2\n", {"one": "1"}),
        (b"", None),
    ],
)
def test_yaml_of_others_is_read_as_text(text: bytes, meant: object) -> None:
    read = read_yaml(text)
    if text.startswith(b"version"):
        assert read == {"version": "1.10", "yes": "true", "no": True, "nothing": None, "empty": None}
    elif text.startswith(b"a: &x"):
        assert read["a"] is read["c"] is read["a"]["b"][1]
    else:
        assert read == meant


@pytest.mark.parametrize("text", [b"{a: b}: c", b"a: *nobody", b"a: [", b"\xff"])
def test_what_is_no_yaml_of_ours_is_said(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_yaml(text)
