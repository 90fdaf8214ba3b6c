"""Logs in batches of lines, however the network cuts them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from skerry.portal.streams.logs import LONGEST_LINE, MATCHES, Wanted, batches, wanted_of
from skerry.portal.streams.reach import Container

AT = Container("lab", "web-0", "main")
TIME = "2026-11-22T10:00:00.123456789Z"


async def _lines(pieces: list[bytes], search: str = "") -> list[list[str]]:
    async def coming() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [line async for batch in batches(coming(), search) for line in batch]


@given(
    st.lists(st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=("Cs",)), min_size=1)), st.data()
)
async def test_cut_anywhere_lines_are_whole(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(f"{TIME} {text}\n" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert await _lines(pieces) == [[TIME, text] for text in texts]


async def test_what_has_no_time_and_what_does_not_end() -> None:
    assert await _lines([b"unable to say\r\n", f"{TIME} last".encode()]) == [["", "unable to say"], [TIME, "last"]]
    (line,) = await _lines([b"x" * (LONGEST_LINE + 10)])
    assert line == ["", "x" * LONGEST_LINE]


async def test_a_search_is_of_text_in_any_case_and_ends() -> None:
    found = await _lines([f"{TIME} Error: one\n{TIME} fine\n{TIME} an eRRor\n".encode()], "ERROR")
    assert [text for _, text in found] == ["Error: one", "an eRRor"]
    assert len(await _lines([f"{TIME} hit\n".encode() * 1000] * 7, "hit")) == MATCHES
    assert await _lines([f"{TIME} x\n".encode()], "2026") == [], "not of times"


def test_what_is_asked_for() -> None:
    assert wanted_of(AT, {}).target == (
        "/api/v1/namespaces/lab/pods/web-0/log?container=main&timestamps=true&follow=true&tailLines=1000"
    )
    assert wanted_of(AT, {"previous": "yes", "search": " oops "}).target == (
        "/api/v1/namespaces/lab/pods/web-0/log?container=main&timestamps=true&previous=true"
    )
    escaped = Wanted(Container("../..", "a/b?c", "x&y")).target
    assert escaped.startswith("/api/v1/namespaces/..%2F../pods/a%2Fb%3Fc/log?container=x%26y&")
