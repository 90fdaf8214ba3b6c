"""Protobuf messages to objects as JSON has them, by the field table.

Type codes in the table: s string, b bool, i integer, d double, y bytes, Q quantity, I int-or-string, T time, U time in
microseconds, D duration, R raw JSON, F managed fields; "[]x" a list, "{}x" a map from strings, "Ex" a list wrapped
in a message, "Ox" a message whose JSON is that of one of its fields; anything else a message's name. A field without
name is inlined into its parent, as Go's JSON does. What Go leaves out of JSON when zero is left out here too. Source:
Kubernetes' "protobuf encoding" and generated.proto.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from skerry.engine.api.protobuf.wire import Value, WireError, fields, signed
from skerry.kube.clock import rfc3339, rfc3339_micro
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj

MAGIC = b"k8s\x00"
"""What every body and answer in protobuf begins with."""
_DEEPEST = 64
_NO_EXPONENT = 1e21
_PACKAGES = {"": "core", "rbac.authorization.k8s.io": "rbac", "meta.k8s.io": "meta"}

Message = dict[int, tuple[str, str, bool]]


def decode(body: bytes) -> Obj:
    """The object in a body. Raises BadRequest for what is none or of an unknown kind."""
    try:
        return _decode(body)
    except (WireError, UnicodeDecodeError, orjson.JSONDecodeError, OverflowError, ValueError) as error:
        raise BadRequest(f"unable to decode the protobuf body: {error}") from error


def _decode(body: bytes) -> Obj:
    if not body.startswith(MAGIC):
        raise WireError("it does not begin with the Kubernetes magic number")
    unknown = dict(fields(body[len(MAGIC) :]))
    type_meta = dict(fields(_bytes(unknown.get(1, b""))))
    api_version, kind = _text(type_meta.get(1, b"")), _text(type_meta.get(2, b""))
    if unknown.get(3):
        raise WireError("compressed contents are not supported")
    obj = _message(message_name(api_version, kind), _bytes(unknown.get(2, b"")), 0)
    return {"apiVersion": api_version, "kind": kind, **obj}


def message_name(api_version: str, kind: str) -> str:
    """The table's name for a kind. Raises WireError for one it does not have."""
    group, _, version = api_version.rpartition("/")
    name = f"{_PACKAGES.get(group) or group.partition('.')[0]}/{version}.{kind}"
    if kind in ("DeleteOptions", "Status"):
        name = f"meta/v1.{kind}"
    if name not in table():
        raise WireError(f"no kind {kind!r} of {api_version!r} is known in protobuf")
    return name


@cache
def table() -> dict[str, Message]:
    """All messages, by number of field; read when the first protobuf body comes."""
    raw = orjson.loads((files(__package__) / "fields.json").read_bytes())
    return {
        name: {int(number): (field, code, bool(keep)) for number, (field, code, keep) in message.items()}
        for name, message in raw.items()
    }


def _message(name: str, data: bytes, depth: int) -> Obj:
    if depth > _DEEPEST:
        raise WireError("nested too deeply")
    message = table()[name]
    obj: Obj = {}
    for number, value in fields(data):
        if number not in message:
            continue  # from a newer Kubernetes than the table
        field, code, keep = message[number]
        if code.startswith("[]"):
            obj.setdefault(field, []).extend(_items(code[2:], value, depth))
        elif code.startswith("{}"):
            key, item = _entry(code[2:], value, depth)
            obj.setdefault(field, {})[key] = item
        elif not field:
            obj.update(_message(code, _bytes(value), depth + 1))
        else:
            decoded = _value(code, value, depth)
            if (keep and decoded is not None) or decoded not in (None, "", 0, False, {}):
                obj[field] = decoded
    return obj


def _items(code: str, value: Value, depth: int) -> list[Any]:
    """One item of a list, or several packed numbers."""
    if code in ("i", "b", "d") and isinstance(value, bytes):
        raise WireError("packed lists are not expected")
    return [_value(code, value, depth)]


def _entry(code: str, value: Value, depth: int) -> tuple[str, Any]:
    parts = dict(fields(_bytes(value)))
    empty: Value = 0 if code in ("i", "b", "d") else b""
    return _text(parts.get(1, b"")), _value(code, parts.get(2, empty), depth)


def _value(code: str, value: Value, depth: int) -> Any:
    scalar = _SCALARS.get(code)
    if scalar is not None:
        return scalar(value)
    if code.startswith("E"):
        return [_value(code[1:], item, depth + 1) for number, item in fields(_bytes(value)) if number == 1]
    if code.startswith("O"):
        return _one_of(_message(code[1:], _bytes(value), depth + 1))
    return _message(code, _bytes(value), depth + 1)


def _one_of(alternatives: Obj) -> Any:
    """A schema wins over what is beside it (`JSONSchemaPropsOrBool`, `OrArray`, `OrStringArray`)."""
    return alternatives["schema"] if "schema" in alternatives else next(iter(alternatives.values()), None)


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise WireError("a number where bytes are expected")
    return value


def _number(value: Value) -> int:
    if isinstance(value, bytes):
        raise WireError("bytes where a number is expected")
    return signed(value)


def _text(value: Value) -> str:
    return _bytes(value).decode()


def _double(value: Value) -> float:
    """Whole numbers without a point, as Go's JSON has them."""
    number = float(struct.unpack("<d", _number(value).to_bytes(8, "little", signed=_number(value) < 0))[0])
    return int(number) if number.is_integer() and abs(number) < _NO_EXPONENT else number


def _quantity(value: Value) -> str:
    return _text(dict(fields(_bytes(value))).get(1, b"")) or "0"


def _int_or_string(value: Value) -> int | str:
    parts = dict(fields(_bytes(value)))
    return _text(parts.get(3, b"")) if parts.get(1) else _number(parts.get(2, 0))


def _moment(value: Value) -> datetime | None:
    parts = dict(fields(_bytes(value)))
    if not parts:
        return None
    seconds, nanos = _number(parts.get(1, 0)), _number(parts.get(2, 0))
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000)


def _time(value: Value) -> str | None:
    moment = _moment(value)
    return rfc3339(moment) if moment else None


def _micro_time(value: Value) -> str | None:
    moment = _moment(value)
    return rfc3339_micro(moment) if moment else None


def _duration(value: Value) -> str:
    return f"{_number(dict(fields(_bytes(value))).get(1, 0)) / 1e9:g}s"


def _raw(value: Value) -> Any:
    raw = dict(fields(_bytes(value))).get(1, b"")
    return orjson.loads(_bytes(raw)) if raw else None


_SCALARS: dict[str, Callable[[Value], Any]] = {
    "s": _text,
    "b": lambda value: bool(_number(value)),
    "i": _number,
    "d": _double,
    "y": lambda value: b64encode(_bytes(value)).decode(),
    "Q": _quantity,
    "I": _int_or_string,
    "T": _time,
    "U": _micro_time,
    "D": _duration,
    "R": _raw,
    "F": _raw,
}
