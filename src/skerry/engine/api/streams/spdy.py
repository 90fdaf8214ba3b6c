"""SPDY/3.1 framing, as far as Kubernetes' streams need it: bytes to frames and back, no input or output.

Clients speak it after an HTTP upgrade, and kubectl's port-forward inside a WebSocket; `spdy_session` moves the bytes.
Source: the SPDY protocol, draft 3.1 (sections 2.2 and 2.6). Invariants: a decoder and an encoder each carry the
compression state of one direction of one connection, so frames must be decoded and sent in order; nothing read from the
peer grows memory beyond `MAX_CONTROL` plus `MAX_HEADERS`: data is given as it comes, however long its frame says it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import TypeAlias

from skerry.kube.records import record

MAX_CONTROL = 64 << 10  # bytes of one control frame we accept; Kubernetes' clients send less than 200
MAX_HEADERS = 64 << 10  # bytes of one header block, decompressed
INITIAL_WINDOW = 64 << 10  # bytes a sender may have in flight per stream and per connection

_VERSION = 3
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _HEADERS, _WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
_FIN = 0x01
_ID_MASK = 0x7FFFFFFF

PROTOCOL_ERROR, REFUSED_STREAM, CANCEL = 1, 3, 5
"""Status codes of RST_STREAM."""


class SpdyError(Exception):
    """The peer broke the protocol; the connection cannot go on."""


@record
class SynStream:
    """The peer opens a stream."""

    stream: int
    headers: Mapping[str, str]
    fin: bool = False


@record
class SynReply:
    """A stream is accepted."""

    stream: int
    headers: Mapping[str, str] = field(default_factory=dict)
    fin: bool = False


@record
class Headers:
    """More headers of a stream; Kubernetes sends none, but they advance the compression state."""

    stream: int
    headers: Mapping[str, str]
    fin: bool = False


@record
class Data:
    """Bytes of a stream, not always all of one frame; `fin` ends this direction of it."""

    stream: int
    data: bytes
    fin: bool = False


@record
class _Begun:
    """A data frame of which `missing` bytes are yet to come."""

    stream: int
    missing: int
    fin: bool


@record
class Reset:
    """RST_STREAM: both directions end at once."""

    stream: int
    status: int


@record
class Ping:
    """To be sent back as it came."""

    id: int


@record
class GoAway:
    """No more streams will be accepted."""

    last_stream: int
    status: int = 0


@record
class Settings:
    """Settings by id: number to value."""

    values: Mapping[int, int]


@record
class WindowUpdate:
    """`delta` more bytes may be sent on the stream (0: on the connection)."""

    stream: int
    delta: int


Frame: TypeAlias = SynStream | SynReply | Headers | Data | Reset | Ping | GoAway | Settings | WindowUpdate


_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_CODES = (100, 101, 201, 202, 205, 206, 300, *range(302, 308), 402, *range(405, 418), 502, 504, 505)
_REASONS = (
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
)
_DATES = "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
_VALUES = (
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def compression_dictionary() -> bytes:
    """What both sides prime zlib with: common words, each after its length; then codes and values run together."""
    words = (word.replace("_", " ").encode() for word in _WORDS.split())
    counted = b"".join(_counted(word) for word in words)
    return counted + "".join((*map(str, _CODES), _REASONS, _DATES, _VALUES)).encode()


class Encoder:
    """Frames to bytes, for one direction of one connection."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(zdict=compression_dictionary())

    def encode(self, frame: Frame) -> bytes:
        """The bytes of a frame; to be sent in the order of the calls."""
        if isinstance(frame, Data):
            return struct.pack(">II", frame.stream, _FIN * frame.fin << 24 | len(frame.data)) + frame.data
        return self._control(frame)

    def _control(self, frame: Frame) -> bytes:
        match frame:
            case SynStream():
                return _frame(_SYN_STREAM, struct.pack(">IIH", frame.stream, 0, 0) + self._block(frame), frame.fin)
            case SynReply():
                return _frame(_SYN_REPLY, struct.pack(">I", frame.stream) + self._block(frame), frame.fin)
            case Headers():
                return _frame(_HEADERS, struct.pack(">I", frame.stream) + self._block(frame), frame.fin)
            case Reset():
                return _frame(_RST_STREAM, struct.pack(">II", frame.stream, frame.status))
            case Ping():
                return _frame(_PING, struct.pack(">I", frame.id))
            case GoAway():
                return _frame(_GOAWAY, struct.pack(">II", frame.last_stream, frame.status))
            case WindowUpdate():
                return _frame(_WINDOW_UPDATE, struct.pack(">II", frame.stream, frame.delta))
            case Settings():
                entries = b"".join(struct.pack(">II", key, value) for key, value in frame.values.items())
                return _frame(_SETTINGS, struct.pack(">I", len(frame.values)) + entries)
        raise TypeError(f"not a control frame: {frame!r}")

    def _block(self, frame: SynStream | SynReply | Headers) -> bytes:
        pairs = (_counted(key.lower().encode()) + _counted(value.encode()) for key, value in frame.headers.items())
        plain = struct.pack(">I", len(frame.headers)) + b"".join(pairs)
        return self._zlib.compress(plain) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class Decoder:
    """Bytes, in pieces of any size, to frames, for one direction of one connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._begun: _Begun | None = None
        self._zlib = zlib.decompressobj(zdict=compression_dictionary())
        self._parsers: dict[int, Callable[[bytes, bool], Frame]] = {
            _SYN_STREAM: self._syn_stream,
            _SYN_REPLY: self._syn_reply,
            _HEADERS: self._headers,
            _RST_STREAM: lambda body, _: Reset(*_ids(body, 2)),
            _PING: lambda body, _: Ping(struct.unpack(">I", body[:4])[0]),
            _GOAWAY: lambda body, _: GoAway(*_ids(body, 2)),
            _WINDOW_UPDATE: lambda body, _: WindowUpdate(*_ids(body, 2)),
            _SETTINGS: _settings,
        }

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes, and what is there of a frame of data. Frames of unknown types are skipped.
        Raises SpdyError."""
        self._buffer += data
        while self._begun is not None or len(self._buffer) >= 8:
            if self._begun is not None:
                if not self._buffer and self._begun.missing:
                    return
                yield self._piece(self._begun)
                continue
            first, second = struct.unpack_from(">II", self._buffer)
            length, fin = second & 0xFFFFFF, bool(second >> 24 & _FIN)
            if not first >> 31:
                self._begun = _Begun(first, length, fin)
                del self._buffer[:8]
                continue
            if length > MAX_CONTROL:
                raise SpdyError(f"a control frame of {length} bytes is over the limit of {MAX_CONTROL}")
            if len(self._buffer) < 8 + length:
                return
            frame = self._parse_control(first, self._cut(8 + length)[8:], fin)
            if frame is not None:
                yield frame

    def _piece(self, begun: _Begun) -> Data:
        """What is there of a data frame."""
        data = self._cut(min(begun.missing, len(self._buffer)))
        missing = begun.missing - len(data)
        self._begun = _Begun(begun.stream, missing, begun.fin) if missing else None
        return Data(begun.stream, data, begun.fin and not missing)

    def _cut(self, count: int) -> bytes:
        cut = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return cut

    def _parse_control(self, first: int, body: bytes, fin: bool) -> Frame | None:
        version, kind = first >> 16 & 0x7FFF, first & 0xFFFF
        if version != _VERSION:
            raise SpdyError(f"SPDY version {version} is not supported, only {_VERSION}")
        parser = self._parsers.get(kind)
        if parser is None:
            return None
        try:
            return parser(body, fin)
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"malformed control frame of type {kind}: {error}") from error

    def _syn_stream(self, body: bytes, fin: bool) -> SynStream:
        return SynStream(_ids(body, 2)[0], self._read_block(body[10:]), fin)

    def _syn_reply(self, body: bytes, fin: bool) -> SynReply:
        return SynReply(_ids(body, 1)[0], self._read_block(body[4:]), fin)

    def _headers(self, body: bytes, fin: bool) -> Headers:
        return Headers(_ids(body, 1)[0], self._read_block(body[4:]), fin)

    def _read_block(self, compressed: bytes) -> dict[str, str]:
        plain = self._zlib.decompress(compressed, MAX_HEADERS)
        if self._zlib.unconsumed_tail:
            raise SpdyError(f"a header block is over the limit of {MAX_HEADERS} bytes")
        (count,) = struct.unpack_from(">I", plain)
        headers, at = {}, 4
        for _ in range(count):
            key, at = _read_counted(plain, at)
            value, at = _read_counted(plain, at)
            headers[key.lower()] = value
        return headers


def _counted(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def _read_counted(plain: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", plain, at)
    end = at + 4 + length
    if end > len(plain):
        raise SpdyError("a header reaches past the end of its block")
    return plain[at + 4 : end].decode(), end


def _frame(kind: int, body: bytes, fin: bool = False) -> bytes:
    return struct.pack(">HHI", 0x8000 | _VERSION, kind, _FIN * fin << 24 | len(body)) + body


def _ids(body: bytes, count: int) -> list[int]:
    return [number & _ID_MASK for number in struct.unpack_from(f">{count}I", body)]


def _settings(body: bytes, _fin: bool) -> Settings:
    (count,) = struct.unpack_from(">I", body)
    pairs = (struct.unpack_from(">II", body, 4 + 8 * index) for index in range(count))
    return Settings({key & 0xFFFFFF: value for key, value in pairs})
