"""Values against a custom resource's OpenAPI v3 schema, complaints worded as Kubernetes words them.

A schema is compiled once into `Validator`s. On an update what has not changed is not complained about (ratcheting),
so an object that was stored under a laxer schema can still be changed elsewhere. Source: kube-openapi
`pkg/validation/validate`, apiextensions-apiserver `pkg/apiserver/validation`. Neighbours: `scalars`, `structural`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from skerry.engine.schema.custom.complaints import (
    NOWHERE,
    invalid,
    not_one_of,
    required,
    too_many,
    wrong_type,
)
from skerry.engine.schema.custom.scalars import Check, number_checks, string_checks, type_name
from skerry.engine.schema.custom.structural import MISSING
from skerry.engine.schema.custom.uniqueness import key_of
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_FORMATTED = {"integer": ("int32", "int64"), "number": ("float", "double")}


class Outcome:
    """What is wrong with a value, and how many checks looked at it: of several alternatives that fail, the one that got
    furthest is told."""

    __slots__ = ("causes", "checks")

    def __init__(self) -> None:
        self.causes: list[Cause] = []
        self.checks = 0

    def add(self, other: Outcome) -> None:
        """Take over another's."""
        self.causes += other.causes
        self.checks += other.checks

    def complain(self, message: str) -> None:
        """A complaint that Kubernetes gives no field to."""
        self.causes.append(Cause("FieldValueInvalid", f'Invalid value: "": {message}', NOWHERE))


_FINE = Outcome()
"""Of values that are simply fine: shared, never changed."""
_FINE.checks = 6
_CLASSES = {"string": str, "boolean": bool}


class Validator:
    """One compiled schema."""

    def __init__(self, schema: Obj) -> None:
        kind = schema.get("type", "")
        self.types = ("integer", "string") if schema.get("x-kubernetes-int-or-string") else (kind,) if kind else ()
        self._nullable = bool(schema.get("nullable"))
        form = schema.get("format", "")
        self._number_format = form if form in _FORMATTED.get(kind, ()) else ""
        self._strings, self._form = string_checks(schema, form if kind in ("", "string") else "")
        self._numbers = number_checks(schema, kind, self._number_format)
        self._enum: list[Any] | None = schema.get("enum") or None
        self._required: list[str] = schema.get("required") or []
        self._sizes = {name: schema[name] for name in _SIZES if schema.get(name) is not None}
        self._properties = {name: Validator(below) for name, below in (schema.get("properties") or {}).items()}
        additional = schema.get("additionalProperties")
        self._closed = additional is False
        self._additional = Validator(additional) if isinstance(additional, dict) else None
        items = schema.get("items")
        self._items = Validator(items) if isinstance(items, dict) else None
        self._map_keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        self._junctors = _compile_junctors(schema)
        self._exact = self._only_type()

    def check(self, value: Any, path: str = "", old: Any = MISSING) -> Outcome:
        """What is wrong with a value at a path. `old`: what was there before and is not complained about again."""
        if type(value) is self._exact:
            return _FINE
        outcome = Outcome()
        if old is not MISSING and same_value(value, old):
            return outcome
        if value is None:
            if self.types and not self._nullable:
                outcome.causes.append(wrong_type(path, ",".join(self.types), "null"))
            self._check_enum(value, path, outcome)
            return outcome
        self._check_type(value, path, outcome)
        for junctor in self._junctors:
            junctor(value, path, outcome)
        outcome.checks += 2
        if type(value) is str:
            self._check_scalar(self._strings, value, path, outcome)
            if self._form is not None and (cause := self._form(path, value)) is not None:
                outcome.causes.append(cause)
        elif type(value) in (int, float):
            self._check_scalar(self._numbers, value, path, outcome)
        elif type(value) is list:
            self._check_items(value, path, old, outcome)
        self._check_enum(value, path, outcome)
        if type(value) is dict:
            self._check_fields(value, path, old, outcome)
        return outcome

    def _only_type(self) -> type | None:
        """The class all of whose values are fine, where the schema asks for nothing but a type."""
        asks_more = self._strings or self._form or self._junctors or self._enum is not None
        return None if asks_more or len(self.types) != 1 else _CLASSES.get(self.types[0])

    def _check_type(self, value: Any, path: str, outcome: Outcome) -> None:
        kind, form = type_name(value)
        if not self.types:
            return
        fits = kind in self.types or (kind == "integer" and "number" in self.types)
        if fits or (kind == "number" and "integer" in self.types and value == int(value)):
            outcome.checks += 2
            return
        expected = ",".join(self.types)
        if self._number_format and kind not in ("string", "array"):
            expected, kind = self._number_format, form
        outcome.causes.append(wrong_type(path, expected, kind))

    @staticmethod
    def _check_scalar(checks: list[Check], value: Any, path: str, outcome: Outcome) -> None:
        outcome.checks += 1
        for check in checks:
            if (cause := check(path, value)) is not None:
                outcome.causes.append(cause)

    def _check_enum(self, value: Any, path: str, outcome: Outcome) -> None:
        if self._enum is not None and not any(same_value(value, each) for each in self._enum):
            outcome.causes.append(not_one_of(path, value, self._enum))

    def _check_items(self, value: list[Any], path: str, old: Any, outcome: Outcome) -> None:
        if self._items is not None:
            before = self._items_before(old)
            for index, item in enumerate(value):
                outcome.add(self._items.check(item, f"{path}[{index}]", before(item)))
        _check_size(self._sizes, "Items", "items", len(value), path, outcome)
        outcome.checks += 2

    def _items_before(self, old: Any) -> Callable[[Any], Any]:
        """What an item was before, where a list's items can be told apart: in lists of type map."""
        if not self._map_keys or not isinstance(old, list):
            return lambda item: MISSING
        named = {_named(item, self._map_keys): item for item in old if isinstance(item, dict)}
        return lambda item: named.get(_named(item, self._map_keys), MISSING) if isinstance(item, dict) else MISSING

    def _check_fields(self, value: Obj, path: str, old: Any, outcome: Outcome) -> None:
        before = old if isinstance(old, dict) else {}
        _check_size(self._sizes, "Properties", "properties", len(value), path, outcome)
        for key, item in value.items():
            below = self._properties.get(key) or self._additional
            if below is not None:
                outcome.add(below.check(item, f"{path}.{key}" if path else key, before.get(key, MISSING)))
            elif self._closed:
                outcome.causes.append(invalid(path, "", f"{path}.{key} in body is a forbidden property", key))
        for key in self._required:
            if key not in value:
                outcome.causes.append(required(f"{path}.{key}" if path else key))
        outcome.checks += 1


_SIZES = ("minItems", "maxItems", "minProperties", "maxProperties")


def same_value(one: Any, other: Any) -> bool:
    """Equality of JSON: unlike Python's it tells true from 1."""
    if type(one) in (dict, list):
        option = orjson.OPT_SORT_KEYS
        return bool(one == other) and orjson.dumps(one, option=option) == orjson.dumps(other, option=option)
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _named(item: Obj, keys: tuple[str, ...]) -> bytes:
    return orjson.dumps(key_of(item, keys), option=orjson.OPT_SORT_KEYS)


def _check_size(sizes: dict[str, int], what: str, plural: str, size: int, path: str, outcome: Outcome) -> None:
    least, most = sizes.get(f"min{what}"), sizes.get(f"max{what}")
    if least is not None and size < least:
        outcome.causes.append(invalid(path, size, f"{path} in body should have at least {least} {plural}"))
    if most is not None and size > most:
        outcome.causes.append(too_many(path, size, most))


Junctor = Callable[[Any, str, Outcome], None]


def _compile_junctors(schema: Obj) -> list[Junctor]:
    found: list[Junctor] = []
    for name, make in (("anyOf", _any_of), ("oneOf", _one_of), ("allOf", _all_of)):
        if alternatives := schema.get(name):
            found.append(make([Validator(each) for each in alternatives]))
    if schema.get("not") is not None:
        found.append(_not(Validator(schema["not"])))
    return found


def _best(failures: list[Outcome]) -> Outcome:
    """The first of those that got furthest."""
    return max(failures, key=lambda failure: failure.checks)


def _any_of(alternatives: list[Validator]) -> Junctor:
    def check(value: Any, path: str, outcome: Outcome) -> None:
        failures = []
        for alternative in alternatives:
            result = alternative.check(value, path)
            if not result.causes:
                outcome.add(result)
                return
            failures.append(result)
        outcome.complain(f'"{path}" must validate at least one schema (anyOf)')
        outcome.add(_best(failures))

    return check


def _one_of(alternatives: list[Validator]) -> Junctor:
    def check(value: Any, path: str, outcome: Outcome) -> None:
        results = [alternative.check(value, path) for alternative in alternatives]
        valid = [result for result in results if not result.causes]
        if len(valid) == 1:
            outcome.add(valid[0])
            return
        found = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
        outcome.complain(f'"{path}" must validate one and only one schema (oneOf). {found}')
        if not valid:
            outcome.add(_best(results))

    return check


def _all_of(parts: list[Validator]) -> Junctor:
    def check(value: Any, path: str, outcome: Outcome) -> None:
        results = [part.check(value, path) for part in parts]
        for result in results:
            outcome.add(result)
        valid = sum(not result.causes for result in results)
        if valid < len(parts):
            none = "" if valid else ". None validated"
            outcome.complain(f'"{path}" must validate all the schemas (allOf){none}')

    return check


def _not(refused: Validator) -> Junctor:
    def check(value: Any, path: str, outcome: Outcome) -> None:
        if not refused.check(value, path).causes:
            outcome.complain(f'"{path}" must not validate the schema (not)')

    return check
