"""The protobuf wire format: a message as fields (number, value), read and written. Source: protobuf.dev, "Encoding"."""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class WireError(ValueError):
    """Bytes that are no protobuf message."""


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """The fields in order: varints and fixed numbers as unsigned integers, the rest as bytes. Raises WireError."""
    at, end = 0, len(data)
    while at < end:
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: Value
        if kind == _VARINT:
            value, at = varint(data, at)
        elif kind == _BYTES:
            size, at = varint(data, at)
            value, at = _cut(data, at, size)
        elif kind in (_FIXED64, _FIXED32):
            raw, at = _cut(data, at, 8 if kind == _FIXED64 else 4)
            value = int.from_bytes(raw, "little")
        else:
            raise WireError(f"wire type {kind} at byte {at}")
        yield number, value


def varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned integer and where it ends. Raises WireError."""
    result = shift = 0
    for position in range(at, min(len(data), at + _LONGEST_VARINT)):
        byte = data[position]
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, position + 1
        shift += 7
    raise WireError(f"number cut short at byte {at}")


def signed(value: int) -> int:
    """A varint as the signed integer it stands for."""
    return value - (1 << 64) if value >> 63 else value


def _cut(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise WireError(f"field cut short at byte {at}")
    return data[at : at + size], at + size


def varint_of(value: int) -> bytes:
    """An integer, negative ones as the 64 bits they are in two's complement."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """A field that is a number."""
    return varint_of(field << 3) + varint_of(value)


def block(field: int, content: bytes) -> bytes:
    """A field that is a text, bytes or a message."""
    return varint_of(field << 3 | 2) + varint_of(len(content)) + content
