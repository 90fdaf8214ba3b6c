"""Values against schemas: complaints, field paths, ratcheting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.schema.custom.validating import Validator
from skerry.kube.objects import Obj


def complaints(schema: Obj, value: Any, **old: Any) -> list[str]:
    causes = Validator({"type": "object", "properties": {"spec": schema}}).check({"spec": value}, "", **old).causes
    return [f"{cause.field}: {cause.message}" for cause in causes]


@pytest.mark.parametrize(
    ("schema", "value", "complaint"),
    [
        ({"type": "integer"}, "3", 'spec: Invalid value: "string": spec in body must be of type integer: "string"'),
        ({"type": "string"}, None, 'spec: Invalid value: "null": spec in body must be of type string: "null"'),
        ({"type": "string", "enum": ["b", "a"]}, "c", 'spec: Unsupported value: "c": supported values: "b", "a"'),
        ({"type": "string", "pattern": "^[a-z]+$"}, "A1",
         'spec: Invalid value: "A1": spec in body should match \'^[a-z]+$\''),
        ({"type": "string", "maxLength": 2}, "abc", "spec: Too long: may not be more than 2 bytes"),
        ({"type": "string", "minLength": 2}, "a",
         'spec: Invalid value: "a": spec in body should be at least 2 chars long'),
        ({"type": "integer", "minimum": 1}, 0,
         "spec: Invalid value: 0: spec in body should be greater than or equal to 1"),
        ({"type": "integer", "maximum": 5, "exclusiveMaximum": True}, 5,
         "spec: Invalid value: 5: spec in body should be less than 5"),
        ({"type": "integer", "multipleOf": 5}, 7, "spec: Invalid value: 7: spec in body should be a multiple of 5"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a", "b"],
         "spec: Too many: 2: must have at most 1 item"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, [],
         "spec: Invalid value: 0: spec in body should have at least 1 items"),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}, {}, "spec.a: Required value"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"x": True},
         'spec.x: Invalid value: "boolean": spec.x in body must be of type integer: "boolean"'),
        ({"type": "array", "items": {"type": "integer"}}, [1, "2"],
         'spec[1]: Invalid value: "string": spec[1] in body must be of type integer: "string"'),
        ({"x-kubernetes-int-or-string": True}, True,
         'spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'),
        ({"type": "string", "format": "date-time"}, "yesterday",
         'spec: Invalid value: "yesterday": spec in body must be of type date-time: "yesterday"'),
    ],
)  # fmt: skip
def test_complaints_are_worded_as_kubernetes_words_them(schema: Obj, value: Any, complaint: str) -> None:
    assert complaints(schema, value) == [complaint]


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("ipv4", "10.0.0.1", "10.0.0"),
        ("ipv6", "fe80::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uri", "https://example.com/x", "not a uri"),
        ("email", "a@example.com", "a.example.com"),
        ("hostname", "a.example.com", "-a-.example.com"),
        ("uuid", "12345678-1234-1234-1234-123456789abc", "1234"),
        ("byte", "aGVsbG8=", "hello!"),
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T10:00:00Z", "2026-02-28 10:00"),
        ("duration", "1h30m", "soon"),
        ("mac", "01:23:45:67:89:ab", "01:23"),
        ("k8s-short-name", "abc-1", "Abc"),
    ],
)
def test_formats(form: str, good: str, bad: str) -> None:
    assert complaints({"type": "string", "format": form}, good) == []
    assert len(complaints({"type": "string", "format": form}, bad)) == 1


def test_unknown_formats_mean_nothing() -> None:
    assert complaints({"type": "string", "format": "no-such-format"}, "x") == []


def test_null_is_fine_where_the_schema_says_so() -> None:
    assert complaints({"type": "string", "nullable": True}, None) == []


def test_whole_floats_are_integers_and_true_is_not_one() -> None:
    assert complaints({"type": "integer"}, 3.0) == []
    assert complaints({"type": "number"}, 3) == []
    assert complaints({"type": "integer", "enum": [1]}, 1) == []
    assert len(complaints({"type": "boolean", "enum": [True]}, 1)) == 2


def test_of_alternatives_that_fail_the_one_that_got_furthest_is_told() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    }
    assert complaints(schema, {"a": "x"}) == []
    assert complaints(schema, {"a": "x", "b": 1}) == [
        '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'
    ]
    assert complaints(schema, {}) == [
        '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid',
        "spec.a: Required value",
    ]


def test_what_has_not_changed_is_not_complained_about() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 2}, "b": {"type": "integer"}}}
    stored = {"spec": {"a": "long", "b": 1}}
    assert complaints(schema, {"a": "long", "b": 2}, old=stored) == []
    assert complaints(schema, {"a": "longer", "b": 1}, old=stored) == ["spec.a: Too long: may not be more than 2 bytes"]


def test_items_of_a_map_are_told_apart_by_their_keys() -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer", "maximum": 1}}}
    schema = {
        "type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
    }  # fmt: skip
    stored = {"spec": [{"name": "a", "size": 5}, {"name": "b", "size": 1}]}
    assert complaints(schema, [{"name": "b", "size": 0}, {"name": "a", "size": 5}], old=stored) == []
    assert (
        len(complaints({**schema, "x-kubernetes-list-map-keys": []}, [{"name": "a", "size": 5}, {}], old=stored)) == 1
    )


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-10, 10)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=10,
)


@given(_JSON)
def test_any_value_is_judged_and_never_changed_its_mind_about(value: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}},
    }
    first, second = complaints(schema, value), complaints(schema, value)
    assert first == second
    assert complaints(schema, value, old={"spec": value}) == []
