"""Objects as JSON has them to protobuf messages, by the field table: for clients that take nothing else.

The inverse of `decode`, with the same type codes. What a message has no field for is left out, as Go does when it reads
JSON into a type. Source: Kubernetes' "protobuf encoding", apimachinery `runtime/serializer/protobuf`.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import orjson

from skerry.engine.api.protobuf.decode import MAGIC, message_name, table
from skerry.engine.api.protobuf.wire import block, number, varint_of
from skerry.kube.objects import Obj

_LIST_META = "meta/v1.ListMeta"


def encode(obj: Obj) -> bytes:
    """An object, or a list of objects of one kind, with what says so in front (`runtime.Unknown`). Raises WireError for
    a kind that has no protobuf form."""
    api_version, kind = obj["apiVersion"], obj["kind"]
    if "items" in obj and kind.endswith("List"):
        content = _list(api_version, kind, obj)
    else:
        content = _message(message_name(api_version, kind), obj)
    said = block(1, api_version.encode()) + block(2, kind.encode())
    return MAGIC + block(1, said) + block(2, content)


def watch_event(type: str, obj: Obj) -> bytes:
    """A watch's event as a frame: its length in four bytes, then the `WatchEvent`. Raises WireError."""
    event = block(1, type.encode()) + block(2, block(1, encode(obj)))
    return len(event).to_bytes(4, "big") + event


def _list(api_version: str, kind: str, obj: Obj) -> bytes:
    name = message_name(api_version, kind.removesuffix("List"))
    items = b"".join(block(2, _message(name, item)) for item in obj["items"] or ())
    return block(1, _message(_LIST_META, obj.get("metadata") or {})) + items


def _message(name: str, obj: Obj) -> bytes:
    return b"".join(_fields(name, obj))


def _fields(name: str, obj: Obj) -> Iterator[bytes]:
    for at, (field, code, _) in table()[name].items():
        if not field:  # inlined: its fields are beside ours
            inlined = _message(code, obj)
            yield block(at, inlined) if inlined else b""
            continue
        value = obj.get(field)
        if value is None:
            continue
        if code.startswith("[]"):
            yield from (_field(at, code[2:], item) for item in value)
        elif code.startswith("{}"):
            yield from _entries(at, code[2:], value)
        else:
            yield _field(at, code, value)


def _entries(at: int, code: str, value: Obj) -> Iterator[bytes]:
    for key in sorted(value):
        yield block(at, block(1, key.encode()) + _field(2, code, value[key]))


def _field(at: int, code: str, value: Any) -> bytes:
    if code in ("i", "b"):
        return number(at, int(value))
    if code == "d":
        return varint_of(at << 3 | 1) + struct.pack("<d", value)
    return block(at, _content(code, value))


def _content(code: str, value: Any) -> bytes:
    scalar = _SCALARS.get(code)
    if scalar is not None:
        return scalar(value)
    if code.startswith("E"):
        return b"".join(_field(1, code[1:], item) for item in value)
    return _alternative(code[1:], value) if code.startswith("O") else _message(code, value)


def _alternative(name: str, value: Any) -> bytes:
    """The one field of the message that takes a value like this."""
    wanted = "b" if isinstance(value, bool) else "[]" if isinstance(value, list) else ""
    for at, (_, code, _) in table()[name].items():
        if code == wanted:
            return _field(at, code, value)
        if wanted == "[]" and code.startswith(wanted):
            return b"".join(_field(at, code[2:], item) for item in value)
        if not wanted and code != "b" and not code.startswith("[]"):
            # a schema beside which `allows` has its default
            return (number(1, 1) if name.endswith("OrBool") else b"") + _field(at, code, value)
    return b""


def _int_or_string(value: int | str) -> bytes:
    return number(1, 1) + block(3, value.encode()) if isinstance(value, str) else number(1, 0) + number(2, value)


def _time(value: str) -> bytes:
    moment = datetime.fromisoformat(value)
    return number(1, int(moment.timestamp() // 1)) + number(2, moment.microsecond * 1000)


def _wrapped(encode_it: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    return lambda value: block(1, encode_it(value))


_SCALARS: dict[str, Callable[[Any], bytes]] = {
    "s": str.encode,
    "y": b64decode,
    "Q": _wrapped(lambda value: str(value).encode()),
    "I": _int_or_string,
    "T": _time,
    "U": _time,
    "R": _wrapped(orjson.dumps),
    "F": _wrapped(orjson.dumps),
}
