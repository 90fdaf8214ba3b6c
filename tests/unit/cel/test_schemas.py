"""Variables with an OpenAPI schema: fields are known, and values are read by their declared type."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from skerry.engine.cel.contract import CompileError, Structural, compile_expression, optional_of
from skerry.engine.cel.names import escaped, unescaped
from skerry.engine.cel.values import NONE

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "replicas": {"type": "integer"},
                "min-replicas": {"type": "integer"},
                "namespace": {"type": "string"},
                "when": {"type": "string", "format": "date-time"},
                "ttl": {"type": "string", "format": "duration"},
                "ratio": {"type": "number"},
                "port": {"x-kubernetes-int-or-string": True},
                "ports": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
                "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                "deep": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
                "whens": {"type": "array", "items": {"type": "string", "format": "date-time"}},
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "data": {"type": "string", "format": "byte"},
                "foo_bar": {"type": "string"},
                "fooBar": {"type": "integer"},
                "by": {
                    "type": "object",
                    "additionalProperties": {"type": "object", "properties": {"x": {"type": "integer"}}},
                },
                "by_other": {
                    "type": "object",
                    "additionalProperties": {"type": "object", "properties": {"y": {"type": "integer"}}},
                },
            },
        }
    },
}  # fmt: skip
VALUE = {
    "apiVersion": "v1", "kind": "X", "metadata": {"name": "n"},
    "spec": {
        "replicas": 3, "min-replicas": 1, "namespace": "q", "when": "2024-01-01T00:00:00Z", "ttl": "1h", "ratio": 1,
        "port": "http", "ports": [{"name": "a"}], "tags": {"x.y": "z"}, "deep": [["a"]],
        "whens": ["2024-01-01T00:00:00Z"], "any": {"x": [1]}, "data": "aGk=", "foo_bar": "q", "fooBar": 1,
        "by": {"k": {"x": 1}}, "by_other": {"k": {"y": 2}},
    },
}  # fmt: skip
ROOT = Structural(SCHEMA, resource=True)


@pytest.mark.parametrize(
    "rule",
    [
        "self.spec.replicas >= self.spec.min__dash__replicas",
        "self.spec.__namespace__ == 'q'",
        "self.spec.when > timestamp('2023-01-01T00:00:00Z') && self.spec.whens.all(w, w.getFullYear() == 2024)",
        "self.spec.ttl < duration('2h')",
        "self.spec.ratio / 2.0 == 0.5",
        "self.spec.port == 80 || self.spec.port == 'http'",
        "self.spec.ports.all(p, has(p.name)) && self.spec.tags['x.y'] == 'z' && self.spec.tags.all(k, v, v == 'z')",
        "self.spec.deep[0][0] == 'a' && self.spec.any.x[0] == 1 && string(self.spec.data) == 'hi'",
        "self.spec.foo_bar == 'q' && self.spec.fooBar == 1 && self.spec.by.all(k, self.spec.by[k].x == 1)",
        "self.spec.by.k.x == 1 && self.spec.by_other.k.y == 2",
        "self.metadata.name == 'n' && self.kind == 'X'",
        "self.spec.whens.max() == self.spec.when",
    ],
)
def test_rules_over_a_schema(rule: str) -> None:
    assert compile_expression(rule, {"self": ROOT}).evaluate({"self": VALUE}) is True


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("self.spec.nope == 1", "ERROR: <input>:1:10: undefined field 'nope'\n | self.spec.nope == 1\n | .........^"),
        ("has(self.spec.nope)", "undefined field 'nope'"),
        ("self.spec.replicas == 'a'", "found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.metadata.labels == {}", "undefined field 'labels'"),
        ("oldSelf.spec == self.spec", "undeclared reference to 'oldSelf'"),
    ],
)
def test_what_the_schema_does_not_allow_does_not_compile(rule: str, message: str) -> None:
    with pytest.raises(CompileError) as refused:
        compile_expression(rule, {"self": ROOT})
    assert message in str(refused.value)


def test_an_optional_old_value() -> None:
    rule = compile_expression(
        "oldSelf.?spec.?replicas.orValue(3) == self.spec.replicas", {"self": ROOT, "oldSelf": optional_of(ROOT)}
    )
    assert rule.evaluate({"self": VALUE, "oldSelf": NONE}) is True


@pytest.mark.parametrize(
    ("schema", "value", "rule"),
    [
        ({"type": "integer"}, 3, "self > oldSelf - 1"),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1}, "self == oldSelf"),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, {"a": {}}, "self.a == oldSelf.a"),
        ({"type": "string"}, "a", "self == oldSelf"),
        ({"type": "array", "items": {"type": "string"}}, ["a"], "self.all(x, x in oldSelf)"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, {"a": 1}, "self['a'] + oldSelf['a'] == 2.0"),
    ],
)
def test_values_that_are_no_objects(schema: dict[str, Any], value: Any, rule: str) -> None:
    kind = Structural(schema)
    assert compile_expression(rule, {"self": kind, "oldSelf": kind}).evaluate({"self": value, "oldSelf": value}) is True


@pytest.mark.parametrize("name", ["a.b", "a-b", "a/b", "a__b", "namespace", "plain", "x.y-z"])
def test_names_are_escaped_and_back(name: str) -> None:
    written = escaped(name)
    assert written is not None
    assert written.isidentifier()
    assert unescaped(written) == name


def test_names_no_expression_can_write() -> None:
    assert escaped("a b") is None
    assert escaped("1a") is None


def test_nothing_is_loaded_before_the_first_expression() -> None:
    code = "import sys, skerry.engine.cel.contract; assert not {'cel_expr_python', 're2', 'google'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
