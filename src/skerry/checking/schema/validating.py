"""Compares a value with a schema and says where it differs, in words for people who write YAML.

It sees what a structure shows: fields that do not exist, wrong types, what is missing, enumerations, ranges. Rules
over several fields are the API's own business (check "apply"). jsonschema is not used: it knows nothing of quantities
and of unknown fields with references, its words are for programmers, and it costs the platform 10 MB.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from skerry.checking.schema.schemas import Schema
from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,),
}  # fmt: skip
_WORDS = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a mapping",
}  # fmt: skip
_INT32, _INT64 = 2**31, 2**63


class Problem(NamedTuple):
    """One difference: where, what, and what to do ("" when that is plain).

    `misshapen`: whether who reads the object stumbles over it, as over a text in place of a list.
    """

    path: str
    message: str
    todo: str = ""
    misshapen: bool = False


def problems(schema: Schema, obj: Obj) -> Iterator[Problem]:
    """How an object differs from its schema."""
    yield from _compare(schema, schema.root, obj, "")


def _compare(schema: Schema, node: Obj, value: Any, path: str) -> Iterator[Problem]:
    name, node = schema.referred(node)
    if value is None or (node.get("x-kubernetes-preserve-unknown-fields") and "properties" not in node):
        return  # the API drops what is null
    special = _SPECIAL.get(name.rpartition(".")[2])
    if special is not None or node.get("x-kubernetes-int-or-string"):
        yield from (special or _int_or_string)(value, path)
        return
    kind = _type_of(node)
    if kind and not _is(value, kind):
        yield _wrong_type(kind, value, path)
    elif isinstance(value, dict):
        yield from _compare_mapping(schema, node, value, path)
    elif isinstance(value, list):
        yield from _compare_list(schema, node, value, path)
    else:
        yield from _compare_scalar(node, value, path)


def _type_of(node: Obj) -> str:
    kinds = node.get("type", "")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), "")
    return str(kinds)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _wrong_type(kind: str, value: Any, path: str) -> Problem:
    todo = ""
    if kind == "string" and isinstance(value, bool | int | float):
        todo = f'put it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
    elif kind in ("integer", "number", "boolean") and isinstance(value, str):
        todo = "write it without quotes"
    return Problem(path, f"{_WORDS[kind]} is wanted, not {_described(value)}", todo, misshapen=True)


def _described(value: Any) -> str:
    kind = next(kind for kind in ("boolean", "integer", "number", "string", "array", "object") if _is(value, kind))
    return f"{_WORDS[kind]} ({value})" if kind in ("integer", "number", "boolean") else _WORDS[kind]


def _compare_mapping(schema: Schema, node: Obj, value: Obj, path: str) -> Iterator[Problem]:
    known, more = node.get("properties"), node.get("additionalProperties")
    for missing in node.get("required") or ():
        if value.get(missing) is None:
            yield Problem(_joined(path, missing), "it is required", misshapen=True)
    for key, item in value.items():
        if not isinstance(key, str):
            yield Problem(path, f"{key!r} is no name", f'put it in quotes: "{key}"', misshapen=True)
        elif known and key in known:
            yield from _compare(schema, known[key], item, _joined(path, key))
        elif isinstance(more, dict):
            yield from _compare(schema, more, item, f"{path}[{key}]")
        elif known is not None and not more and not node.get("x-kubernetes-preserve-unknown-fields"):
            yield _unknown(key, known, path)
    yield from _between(len(value), node, path, "Properties", "entries")


def _unknown(key: str, known: Mapping[str, object], path: str) -> Problem:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return Problem(_joined(path, key), "there is no such field", f"is {close[0]} meant?" if close else "")


def _compare_list(schema: Schema, node: Obj, value: list[Any], path: str) -> Iterator[Problem]:
    for index, item in enumerate(value):
        if item is None:
            yield Problem(f"{path}[{index}]", "there is nothing", "leave the entry out", misshapen=True)
        yield from _compare(schema, node.get("items") or {}, item, f"{path}[{index}]")
    yield from _between(len(value), node, path, "Items", "entries")


def _compare_scalar(node: Obj, value: Any, path: str) -> Iterator[Problem]:
    allowed = [one for one in node.get("enum") or () if one is not None]
    if allowed and value not in allowed:
        close = difflib.get_close_matches(str(value), [str(one) for one in allowed], n=1)
        yield Problem(path, f"{value!r} is not one of {', '.join(map(str, allowed))}",
                      f"is {close[0]} meant?" if close else "")  # fmt: skip
    if isinstance(value, str):
        yield from _between(len(value), node, path, "Length", "characters")
        return
    most = _INT32 if node.get("format") == "int32" else _INT64
    if isinstance(value, int) and not -most <= value < most:
        yield Problem(path, f"{value} is too large a number", misshapen=True)
    if "minimum" in node and value < node["minimum"]:
        yield Problem(path, f"{value} is less than {node['minimum']}")
    if "maximum" in node and value > node["maximum"]:
        yield Problem(path, f"{value} is more than {node['maximum']}")


def _between(size: int, node: Obj, path: str, what: str, unit: str) -> Iterator[Problem]:
    least, most = node.get(f"min{what}"), node.get(f"max{what}")
    if least is not None and size < least:
        yield Problem(path, f"{size} {unit}: at least {least} are needed")
    if most is not None and size > most:
        yield Problem(path, f"{size} {unit}: at most {most} are allowed")


def _quantity(value: Any, path: str) -> Iterator[Problem]:
    try:
        if isinstance(value, bool) or (isinstance(value, int) and abs(value) >= _INT64):
            raise ValueError
        parse_quantity(value)
    except (ValueError, TypeError):
        yield Problem(path, f"{value!r} is not an amount", "such as 500m, 2, 512Mi or 1.5Gi", misshapen=True)


def _int_or_string(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, int) and not -_INT32 <= value < _INT32:
        yield Problem(path, f"{value} is too large a number", misshapen=True)
    if isinstance(value, bool) or not isinstance(value, int | str):
        text = f"a whole number or a text is wanted, not {_described(value)}"
        yield Problem(path, text, misshapen=True)


def _time(value: Any, path: str) -> Iterator[Problem]:
    try:
        parse_time(value)
    except (ValueError, TypeError):
        yield Problem(path, f"{value!r} is not a time", "such as 2026-01-31T12:00:00Z", misshapen=True)


def _anything(value: Any, path: str) -> Iterator[Problem]:
    return iter(())


_SPECIAL = {
    "Quantity": _quantity, "IntOrString": _int_or_string, "Time": _time, "MicroTime": _time, "RawExtension": _anything,
    "FieldsV1": _anything, "JSON": _anything, "JSONSchemaPropsOrArray": _anything, "JSONSchemaPropsOrBool": _anything,
    "JSONSchemaPropsOrStringArray": _anything,
}  # fmt: skip
"""Definitions that say less than is meant, by the last part of their names."""


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
