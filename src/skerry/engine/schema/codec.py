"""Bodies to objects: JSON or YAML, checked against the kind's schema, unknown and duplicate fields found.

Source of the behaviour: apiserver `endpoints/handlers` (transformDecodeError, field validation) and
`runtime/serializer/json`. The fast path (`Shape.clean`) builds nothing. Neighbours: `shapes`, `pruning`, `yaml_body`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Literal

import orjson

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.depth import MAX_DEPTH, check_depth
from skerry.engine.schema.pruning import Pruning, WrongType
from skerry.engine.schema.shapes import shape_of
from skerry.kube.errors import BadRequest, UnsupportedMediaType
from skerry.kube.objects import Obj

FieldValidation = Literal["Ignore", "Warn", "Strict"]
JSON_TYPES = ("application/json",)
YAML_TYPES = ("application/yaml", "application/x-yaml")


class NotJson(BadRequest):
    """A body that is no JSON where it should be."""


class CannotBeHandled(BadRequest):
    """An object with values of wrong types, or with fields nobody knows where that is refused. `why` in the words of
    the decoder, `conversion` in those for the result of a strategic merge patch."""

    def __init__(self, kind: Kind, why: str, conversion: str = "") -> None:
        name, version = kind.resource.kind, kind.resource.version
        super().__init__(f'{name} in version "{version}" cannot be handled as a {name}: {why}')
        self.why = why
        self.conversion = conversion or why


@lru_cache(64)
def media_type(content_type: str) -> str:
    """The type without its parameters, lower case; "" counts as JSON, as in Kubernetes."""
    return content_type.partition(";")[0].strip().lower() or "application/json"


def decode(
    kind: Kind, body: bytes, content_type: str = "application/json", field_validation: FieldValidation = "Warn"
) -> tuple[Obj, list[str]]:
    """The object in a request's body and the warnings to send back. Raises BadRequest, UnsupportedMediaType."""
    try:
        value, duplicates = parse(body, content_type, find_duplicates=field_validation != "Ignore")
    except NotJson as error:
        raise _unrecognised(kind, body, error.message) from None
    if type(value) is not dict:
        raise _unrecognised(kind, body, "json: cannot unmarshal value into Go value of type struct")
    return _checked(kind, value, field_validation, duplicates)


def check(kind: Kind, obj: Obj, field_validation: FieldValidation = "Warn") -> tuple[Obj, list[str]]:
    """`decode` for what is already parsed (patch results, in-process clients). `obj` is the request's own: it is
    pruned in place. Raises BadRequest."""
    if type(obj) is not dict:
        raise BadRequest(f"the object provided is unrecognized (must be of type {kind.resource.kind})")
    check_depth(obj)
    return _checked(kind, obj, field_validation, [])


def parse(body: bytes, content_type: str, *, find_duplicates: bool = False) -> tuple[Any, list[str]]:
    """The JSON value in a body and, if asked for, a complaint for every field given twice. Raises BadRequest,
    UnsupportedMediaType."""
    given = media_type(content_type)
    if given in JSON_TYPES:
        return _parse_json(body, find_duplicates)
    if given in YAML_TYPES:
        from skerry.engine.schema.yaml_body import parse_yaml  # yaml costs 10 ms and few clients send it

        return parse_yaml(body)
    raise UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: "
        f"application/json, application/yaml; got {given!r}"
    )


def _parse_json(body: bytes, find_duplicates: bool) -> tuple[Any, list[str]]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotJson(f"couldn't get version/kind; json parse error: {error}") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        check_depth(value)
    if find_duplicates and type(value) is dict and _has_room(body, orjson.dumps(value)):
        return value, _duplicates(body)
    return value, []


def _has_room(body: bytes, encoded: bytes) -> bool:
    """Whether a body may hold a second value for a field: not when it is as long as what was read from it, white space
    aside (within strings both sides have the same). Nearly all clients send no white space but a line's end."""
    if len(body.rstrip()) == len(encoded):
        return False
    return len(encoded.translate(None, b" \t\r\n")) != len(body.translate(None, b" \t\r\n"))


class _Pairs(list[tuple[str, Any]]):
    """An object as it is written, fields given twice included."""


def _duplicates(body: bytes) -> list[str]:
    found: list[str] = []
    _find_duplicates(json.loads(body, object_pairs_hook=_Pairs), "", found)
    return [f'duplicate field "{path}"' for path in found]


def _find_duplicates(value: Any, path: str, found: list[str]) -> None:
    """Append the paths of fields given twice, in the order they are written."""
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, inner in value:
            field = f"{path}.{key}" if path else key
            if key in seen and field not in found:
                found.append(field)
            seen.add(key)
            _find_duplicates(inner, field, found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _find_duplicates(inner, f"{path}[{index}]", found)


def _checked(kind: Kind, obj: Obj, mode: FieldValidation, duplicates: list[str]) -> tuple[Obj, list[str]]:
    _check_type(kind, obj)
    problems: list[str] = []
    shape = shape_of(kind.definition)
    if not shape.clean(obj):
        pruning = Pruning()
        try:
            pruning.walk(shape, obj)
        except WrongType as error:
            raise CannotBeHandled(kind, str(error), error.conversion) from None
        problems += [f'unknown field "{path}"' for path in pruning.unknown]
    if kind.prune is not None:
        problems += [f'unknown field "{path}"' for path in kind.prune(obj)]
    obj.setdefault("metadata", {})
    if not (problems or duplicates) or mode == "Ignore":
        return obj, []
    if mode == "Strict":
        raise CannotBeHandled(kind, "strict decoding error: " + ", ".join(_in_strict_words(problems, duplicates)))
    return obj, [*problems, *duplicates]


def _in_strict_words(unknown: list[str], duplicates: list[str]) -> list[str]:
    """What is wrong with a body, in one list; the YAML reader's complaints come first and together. An unknown field
    given twice is unknown."""
    if duplicates and duplicates[0].startswith("line "):
        return ["yaml: unmarshal errors:\n  " + "\n  ".join(duplicates), *unknown]
    told = {complaint.removeprefix("unknown") for complaint in unknown}
    return [*unknown, *(complaint for complaint in duplicates if complaint.removeprefix("duplicate") not in told)]


def _check_type(kind: Kind, obj: Obj) -> None:
    """Fill in or check kind and apiVersion: the URL says what they must be."""
    resource = kind.resource
    api_version = obj.get("apiVersion") or resource.api_version
    name = obj.get("kind") or resource.kind
    if api_version == resource.api_version and name == resource.kind:
        obj["kind"], obj["apiVersion"] = resource.kind, resource.api_version
        return
    if not isinstance(api_version, str) or not isinstance(name, str):
        raise BadRequest("couldn't get version/kind; json parse error: json: cannot unmarshal into Go struct field")
    if name != resource.kind:
        version = api_version.rpartition("/")[2]
        raise BadRequest(
            f'{name} in version "{version}" cannot be handled as a {resource.kind}: converting '
            f"({version}.{name}) to ({resource.version}.{resource.kind}): unknown conversion"
        )
    raise BadRequest(
        f"the API version in the data ({api_version}) does not match the expected API version ({resource.api_version})"
    )


def _unrecognised(kind: Kind, body: bytes, why: str) -> BadRequest:
    return BadRequest(
        f"the object provided is unrecognized (must be of type {kind.resource.kind}): {why} ({_summary(body)})"
    )


def _summary(body: bytes) -> str:
    """As apiserver `rest.go` (summarizeData) shows what it could not read."""
    if not body:
        return "<empty>"
    begin = body[:30].decode(errors="replace") if body.startswith(b"{") else body[:30].hex()
    return begin + (" ..." if len(body) > 30 else "")
