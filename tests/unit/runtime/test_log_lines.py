"""CRI's log format: joining pieces, filters, and finding the last lines in a file of any shape."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.node.access.log_lines import Renderer, fixed_width, parse_record, tail_offset, written_at

T = b"2026-01-02T03:04:05.5Z"


def record(text: bytes, *, stream: bytes = b"stdout", full: bool = True, time: bytes = T) -> bytes:
    return b" ".join((time, stream, b"F" if full else b"P", text))


def test_pieces_are_joined_and_stamped_once() -> None:
    lines = [record(b"ab", full=False), record(b"cd"), record(b""), record(b"e f")]
    assert Renderer().render(lines) == b"abcd\n\ne f\n"
    stamp = b"2026-01-02T03:04:05.500000000Z "
    assert Renderer(timestamps=True).render(lines) == stamp + b"abcd\n" + stamp + b"\n" + stamp + b"e f\n"


def test_pieces_in_two_calls() -> None:
    renderer = Renderer(timestamps=True)
    assert renderer.render([record(b"a", full=False)]).endswith(b" a")
    assert renderer.render([record(b"b")]) == b"b\n"


@given(st.lists(st.tuples(st.sampled_from([b"stdout", b"stderr", b"stdin"]), st.booleans(), st.binary(max_size=9))))
def test_whole_lines_are_the_same_at_once_and_one_by_one(told: list[tuple[bytes, bool, bytes]]) -> None:
    lines = [record(text.replace(b"\n", b""), stream=stream, full=full) for stream, full, text in told]
    assert Renderer().render(lines) == b"".join(Renderer()._pieces(lines))


def test_damaged_lines_are_left_out() -> None:
    assert Renderer().render([b"", b"garbage", b"t stdout", b"\xff\xfe x y", record(b"ok")]) == b"ok\n"
    assert parse_record(b"t stdin F x") is None


def test_stream_and_since() -> None:
    late = b"2026-01-02T03:04:06.123456789+01:00"
    lines = [record(b"old"), record(b"err", stream=b"stderr"), record(b"new", time=b"2026-01-02T03:05:00Z")]
    assert Renderer(stream="Stderr").render(lines) == b"err\n"
    assert Renderer(stream="Stdout").render(lines) == b"old\nnew\n"
    since = datetime(2026, 1, 2, 3, 4, 30, tzinfo=UTC)
    assert Renderer(since=since).render(lines) == b"new\n"
    assert written_at(late) == datetime(2026, 1, 2, 2, 4, 6, 123456, tzinfo=UTC)
    assert fixed_width(late) == late
    assert fixed_width(b"2026-01-02T03:05:00Z") == b"2026-01-02T03:05:00.000000000Z"


def test_limit_counts_bytes_over_calls() -> None:
    renderer = Renderer(remaining=5)
    assert renderer.render([record(b"abc")]) == b"abc\n"
    assert not renderer.finished
    assert renderer.render([record(b"xyz")]) == b"x"
    assert renderer.finished


_PIECES = st.lists(
    st.tuples(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")), st.booleans()), max_size=60
)


@given(_PIECES, st.integers(1, 70), st.integers(0, 200_000))
def test_tail_is_the_last_lines(pieces: list[tuple[bytes, bool]], wanted: int, padding: int) -> None:
    """Against rendering everything and taking the last lines, with a long first line to cross block borders."""
    lines = [record(b"x" * padding), *(record(text, full=full) for text, full in pieces)]
    data = b"".join(line + b"\n" for line in lines)
    everything = Renderer().render(lines).split(b"\n")
    offset = tail_offset(io.BytesIO(data), wanted)
    rest = data[offset:].split(b"\n")[:-1]
    last_is_open = bool(pieces) and not pieces[-1][1]
    expected = everything if last_is_open and everything[-1] else everything[:-1]
    if last_is_open and not everything[-1]:
        expected = everything  # an unfinished line without text is a line, too
    assert Renderer().render(rest) == b"\n".join(expected[-wanted:]) + (b"" if last_is_open else b"\n")


def test_tail_of_an_empty_file() -> None:
    assert tail_offset(io.BytesIO(b""), 3) == 0
