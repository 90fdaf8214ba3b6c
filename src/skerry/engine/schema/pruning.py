"""The slow walk over a shape: drop nulls and unknown fields, convert what Go's decoder converts, refuse wrong types.

Called only for values that `Shape.clean` does not vouch for. Changes the value in place. Wording follows Go's
encoding/json and sigs.k8s.io/json. Neighbours: `shapes`, `codec`.
"""

from __future__ import annotations

import binascii
from typing import Any

from skerry.engine.schema.shapes import INT_LIMITS, Shape
from skerry.kube.objects import Obj
from skerry.kube.quantities import canonical

DROP = object()
_ZERO: Obj = {"string": "", "boolean": False, "int32": 0, "int64": 0, "double": 0, "bytes": "", "quantity": "0"}
_GO_KINDS = {"boolean": "bool", "double": "float64"}


class WrongType(Exception):
    """A value Go could not decode; the message is that of Go's JSON decoder. `conversion` says the same in the words of
    the converter a strategic merge patch's result goes through, `runtime.DefaultUnstructuredConverter`."""

    def __init__(self, message: str, conversion: str = "") -> None:
        super().__init__(message)
        self.conversion = conversion or message


class MapKey(str):
    """A path element that is a key of a map, not a field of a struct."""

    __slots__ = ()


Path = tuple[str | int, ...]


def path_text(path: Path) -> str:
    """`spec.containers[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


class Pruning:
    """One walk. `unknown` collects the paths of the fields dropped because no schema knows them."""

    def __init__(self) -> None:
        self.unknown: list[str] = []

    def walk(self, shape: Shape, value: Any, path: Path = (), struct: str = "") -> Any:
        """The value as it is kept (DROP for a null). Raises WrongType."""
        if value is None:
            return DROP
        if type(value) is shape.clean:
            return value
        if shape.type in ("struct", "open"):
            return self._struct(shape, value, path, struct)
        if shape.type == "map":
            return self._map(shape, value, path, struct)
        if shape.type == "list":
            return self._list(shape, value, path, struct)
        return _scalar(shape, value, path, struct)

    def _struct(self, shape: Shape, value: Any, path: Path, struct: str) -> Any:
        if type(value) is not dict:
            raise _mismatch(shape, value, path, struct)
        name = shape.name.rpartition(".")[2]
        for key in list(value):
            field = shape.fields.get(key)
            if field is None:
                if shape.type == "struct":
                    del value[key]
                    self.unknown.append(path_text((*path, key)))
                continue
            kept = self.walk(field, value[key], (*path, key), name)
            if kept is DROP:
                del value[key]
            else:
                value[key] = kept
        return value

    def _map(self, shape: Shape, value: Any, path: Path, struct: str) -> Any:
        if type(value) is not dict:
            raise _mismatch(shape, value, path, struct)
        assert shape.items is not None
        for key in list(value):
            kept = self.walk(shape.items, value[key], (*path, MapKey(key)), struct)
            value[key] = _zero(shape.items) if kept is DROP else kept
        return value

    def _list(self, shape: Shape, value: Any, path: Path, struct: str) -> Any:
        if type(value) is not list:
            raise _mismatch(shape, value, path, struct)
        assert shape.items is not None
        for index, item in enumerate(value):
            kept = self.walk(shape.items, item, (*path, index), struct)
            value[index] = _zero(shape.items) if kept is DROP else kept
        return value


def _zero(shape: Shape) -> Any:
    """What Go leaves in a map or slice for null."""
    if shape.type in ("struct", "map", "object"):
        return {}
    return [] if shape.type == "list" else _ZERO.get(shape.type)


def _scalar(shape: Shape, value: Any, path: Path, struct: str) -> Any:
    if type(shape.clean) is not type and shape.clean(value):
        return value
    if shape.type == "quantity" and type(value) in (str, int, float):
        return _quantity(value)
    if type(value) is str and shape.type == "time":
        if value == "":
            return DROP
        raise WrongType(f'parsing time "\\"{value}\\"" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}"')
    if type(value) is str and shape.type == "bytes":
        return _base64(value)
    raise _mismatch(shape, value, path, struct)


def _quantity(value: str | float) -> str:
    try:
        return canonical(value)
    except ValueError as error:
        raise WrongType(str(error)) from None


def _base64(value: str) -> str:
    try:
        decoded = binascii.a2b_base64(value.replace("\n", "").replace("\r", ""), strict_mode=True)
    except (binascii.Error, ValueError):
        raise WrongType(f"illegal base64 data at input byte {_first_bad(value)}") from None
    return binascii.b2a_base64(decoded, newline=False).decode()


def _first_bad(value: str) -> int:
    for index, char in enumerate(value):
        if not (char.isascii() and (char.isalnum() or char in "+/\r\n")):
            return index
    return max(len(value) // 4 * 4, 0)


def _mismatch(shape: Shape, value: Any, path: Path, struct: str) -> WrongType:
    field = ".".join(part for part in path if isinstance(part, str) and not isinstance(part, MapKey))
    place = f"struct field {struct}.{field}" if struct and field else "value"
    message = f"json: cannot unmarshal {_describe(shape, value)} into Go {place} of type {shape.go_type}"
    return WrongType(message, _not_converted(shape, value))


def _not_converted(shape: Shape, value: Any) -> str:
    kinds: dict[type, str] = {str: "string", bool: "bool", int: "int64", float: "float64", list: "slice", dict: "map"}
    given = kinds.get(type(value), "interface")
    if shape.type in ("struct", "open"):
        return f"cannot restore struct from: {given}"
    if shape.type in ("map", "list"):
        return f"cannot restore {'map' if shape.type == 'map' else 'slice'} from {given}"
    return f"unrecognized type: {_GO_KINDS.get(shape.type, shape.type)}"


def _describe(shape: Shape, value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value}" if shape.type in INT_LIMITS else "number"
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return names.get(type(value), "value")
