"""The SPDY codec: against the specification's own constants, round trips in any splitting, and hostile bytes."""

from __future__ import annotations

import contextlib
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.api.streams import spdy
from skerry.engine.api.streams.spdy import (
    Data,
    Decoder,
    Encoder,
    Frame,
    GoAway,
    Headers,
    Ping,
    Reset,
    Settings,
    SpdyError,
    SynReply,
    SynStream,
    WindowUpdate,
)

IDS = st.integers(1, 2**31 - 1)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20)
HEADERS = st.dictionaries(NAMES, st.text(max_size=30), max_size=5)
FRAMES: st.SearchStrategy[Frame] = st.one_of(
    st.builds(SynStream, IDS, HEADERS, st.booleans()),
    st.builds(SynReply, IDS, HEADERS, st.booleans()),
    st.builds(Headers, IDS, HEADERS, st.booleans()),
    st.builds(Data, IDS, st.binary(max_size=300), st.booleans()),
    st.builds(Reset, IDS, st.integers(1, 11)),
    st.builds(Ping, st.integers(0, 2**32 - 1)),
    st.builds(GoAway, IDS, st.integers(0, 11)),
    st.builds(Settings, st.dictionaries(st.integers(1, 8), st.integers(0, 2**32 - 1), max_size=4)),
    st.builds(WindowUpdate, IDS, st.integers(1, 2**31 - 1)),
)


def test_the_dictionary_is_the_one_of_the_specification() -> None:
    # zlib streams name their dictionary by its Adler-32; every SPDY/3 stream starts with this one.
    assert zlib.adler32(spdy.compression_dictionary()) == 0xE3C6A7C2
    assert len(spdy.compression_dictionary()) == 1423


def test_syn_stream_has_the_layout_of_the_specification() -> None:
    frame = Encoder().encode(SynStream(5, {"streamType": "data", "port": "80"}, fin=True))
    assert frame[:5] == bytes([0x80, 3, 0, 1, 1])
    assert struct.unpack_from(">I", b"\0" + frame[5:8])[0] == len(frame) - 8
    assert struct.unpack_from(">IIH", frame, 8) == (5, 0, 0)
    plain = zlib.decompressobj(zdict=spdy.compression_dictionary()).decompress(frame[18:])
    assert plain == b"\0\0\0\2\0\0\0\x0astreamtype\0\0\0\4data\0\0\0\4port\0\0\0\x0280"


@given(st.lists(FRAMES, max_size=12), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_frames_survive_any_splitting_of_the_bytes(frames: list[Frame], sizes: list[int]) -> None:
    encoder, decoder = Encoder(), Decoder()
    stream = b"".join(encoder.encode(frame) for frame in frames)
    decoded: list[Frame] = []
    turn = 0
    while stream:
        size = sizes[turn % len(sizes)]
        decoded += decoder.feed(stream[:size])
        stream, turn = stream[size:], turn + 1
    assert _joined(decoded) == _joined(frames)


def _joined(frames: list[Frame]) -> list[Frame]:
    """Data that follows data of the same stream put together: where its frames ended means nothing."""
    joined: list[Frame] = []
    for frame in frames:
        last = joined[-1] if joined else None
        if isinstance(frame, Data) and isinstance(last, Data) and last.stream == frame.stream and not last.fin:
            joined[-1] = Data(frame.stream, last.data + frame.data, frame.fin)
        else:
            joined.append(frame)
    return joined


def test_data_is_given_as_it_comes_and_ends_with_its_frame() -> None:
    decoder = Decoder()
    frame = Encoder().encode(Data(5, b"x" * 16_000_000, fin=True))
    assert list(decoder.feed(frame[:8])) == []
    assert list(decoder.feed(frame[8:11])) == [Data(5, b"xxx")]
    assert list(decoder.feed(frame[11:-1])) == [Data(5, b"x" * 15_999_996)]
    assert list(decoder.feed(b"x" + Encoder().encode(Ping(1)))) == [Data(5, b"x", fin=True), Ping(1)]


@given(st.binary(max_size=200))
def test_hostile_bytes_are_frames_or_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(SpdyError):
        list(Decoder().feed(data))


def test_unknown_control_frames_are_skipped() -> None:
    unknown = struct.pack(">HHI", 0x8003, 42, 3) + b"abc"
    assert list(Decoder().feed(unknown + Encoder().encode(Ping(7)))) == [Ping(7)]


def test_other_versions_are_refused() -> None:
    with pytest.raises(SpdyError, match="version 2"):
        list(Decoder().feed(struct.pack(">HHI", 0x8002, 6, 4) + b"\0\0\0\1"))


def test_oversized_control_frames_are_refused_before_they_are_read() -> None:
    with pytest.raises(SpdyError, match="over the limit"):
        list(Decoder().feed(struct.pack(">HHI", 0x8003, 1, spdy.MAX_CONTROL + 1)))


def test_a_header_bomb_is_refused() -> None:
    bomb = Encoder().encode(SynStream(1, {"x": "a" * 10 * spdy.MAX_HEADERS}))
    assert len(bomb) < 10_000
    with pytest.raises(SpdyError, match="header block"):
        list(Decoder().feed(bomb))


def test_a_header_that_points_past_its_block_is_refused() -> None:
    squeeze = zlib.compressobj(zdict=spdy.compression_dictionary())
    block = squeeze.compress(struct.pack(">II", 1, 2**31)) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    frame = struct.pack(">HHI", 0x8003, 2, 4 + len(block)) + struct.pack(">I", 1) + block
    with pytest.raises(SpdyError, match="past the end"):
        list(Decoder().feed(frame))
