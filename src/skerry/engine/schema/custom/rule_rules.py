"""Whether the CEL rules of a schema compile, make sense where they are, and cannot cost too much.

A rule costs what it can cost on one value, times how many such values an object can have: the limits of the lists and
maps around it, or what fits into one request. Source: as `schema_rules`, and `cel_validation.go` beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from typing import Any

from skerry.engine.cel.contract import CompileError, Program, Structural, compile_estimated
from skerry.engine.cel.schema_sizes import most_values
from skerry.engine.schema.causes import forbidden, invalid
from skerry.engine.schema.custom.rules import variables_of
from skerry.engine.schema.custom.structural import Node, compile_node
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.records import record

EXPRESSION_LIMIT = 10_000_000
"""Estimated cost one rule may have (`StaticEstimatedCostLimit`)."""
SCHEMA_LIMIT = 100_000_000
"""Estimated cost all rules of a schema may have together (`StaticEstimatedCRDCostLimit`)."""
_TOLD = 4
"""Rules that are named when all together cost too much: the dearest."""
_RULES = "x-kubernetes-validations"
_ADVICE = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
    "declared)"
)


def has_rules(schema: Any) -> bool:
    """Whether a schema has rules anywhere."""
    return isinstance(schema, dict) and compile_node(schema).has_rules


def check_rules_of(schema: Obj, path: str) -> Iterator[Cause]:
    """What is wrong with the rules of a schema that is fine otherwise."""
    costs: dict[str, int] = {}
    yield from _check_node(compile_node(schema), _Place(path, schema, costs, is_root=True))
    total = sum(costs.values())
    if total > SCHEMA_LIMIT:
        dear = [(cost, field) for field, cost in costs.items() if cost >= SCHEMA_LIMIT // 100]
        for _, field_ in sorted(dear, key=lambda each: -each[0])[:_TOLD]:
            why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
            yield forbidden(field_, why)
        what = f"{_RULES} estimated rule cost total for entire OpenAPIv3 schema"
        yield forbidden(path, _too_dear(what, total, SCHEMA_LIMIT))


@record
class _Place:
    """Where in a schema we are. `uncorrelated`: the path from which on old values cannot be told to belong to new ones;
    `times`: how many values an object can have here, None when no limit says."""

    path: str
    schema: Obj
    costs: dict[str, int] = field(repr=False)
    """Estimates by rule, of the whole schema."""
    uncorrelated: str = ""
    times: int | None = 1
    is_root: bool = False

    def below(self, part: str, schema: Obj, uncorrelated: str, most: int | None) -> _Place:
        """One step down; `most`: values there for every value here."""
        times = None if self.times is None or most is None else self.times * max(most, 0)
        place = replace(self, path=f"{self.path}.{part}", schema=schema, times=times, is_root=False)
        return replace(place, uncorrelated=self.uncorrelated or uncorrelated)


def _check_node(node: Node, place: _Place) -> Iterator[Cause]:
    if not node.has_rules:
        return
    schema, path = place.schema, place.path
    for index, rule in enumerate(node.rules):
        yield from _check_rule(rule, f"{path}.{_RULES}[{index}]", place)
    if node.additional is not None:
        below = place.below("additionalProperties", schema["additionalProperties"], "", schema.get("maxProperties"))
        yield from _check_node(node.additional, below)
    apart = path if node.map_type == "atomic" else ""
    for name, each in node.properties.items():
        yield from _check_node(each, place.below(f"properties[{name}]", schema["properties"][name], apart, 1))
    if node.items is not None:
        apart = "" if node.list_type == "map" else path
        yield from _check_node(node.items, place.below("items", schema["items"], apart, schema.get("maxItems")))


def _check_rule(rule: Obj, at: str, place: _Place) -> Iterator[Cause]:
    try:
        program, cost = _compiled(rule, rule["rule"], place)
    except CompileError as error:
        yield invalid(f"{at}.rule", rule, f"compilation failed: {error}")
        return
    cost *= most_values(place.schema) if place.times is None else place.times
    place.costs[f"{at}.rule"] = cost
    if cost > EXPRESSION_LIMIT:
        yield forbidden(f"{at}.rule", _too_dear("estimated rule cost", cost, EXPRESSION_LIMIT))
    if program.result.name != "bool":
        yield invalid(f"{at}.rule", rule, "cel expression must evaluate to a bool")
    yield from _check_message(rule, at, place)
    if "oldSelf" not in program.names:
        if rule.get("optionalOldSelf") is not None:
            why = "may not be set if oldSelf is not used in rule"
            yield invalid(f"{at}.optionalOldSelf", rule["optionalOldSelf"], why)
    elif place.uncorrelated:
        why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.uncorrelated}"
        yield invalid(f"{at}.rule", rule["rule"], why)


def _check_message(rule: Obj, at: str, place: _Place) -> Iterator[Cause]:
    at = f"{at}.messageExpression"
    expression = (rule.get("messageExpression") or "").strip()
    if not expression:
        return
    try:
        message, cost = _compiled(rule, expression, place)
    except CompileError as error:
        yield invalid(at, rule, f"messageExpression compilation failed: {error}")
        return
    place.costs[at] = cost
    if cost > EXPRESSION_LIMIT:
        yield forbidden(at, _too_dear("estimated messageExpression cost", cost, EXPRESSION_LIMIT))
    if message.result.name != "string":
        yield invalid(at, rule, "messageExpression must evaluate to a string")


def _compiled(rule: Obj, expression: str, place: _Place) -> tuple[Program, int]:
    """The program and the most one evaluation can cost. Raises CompileError."""
    variables = variables_of(place.schema, rule, is_resource=place.is_root)
    return compile_estimated(expression, variables, Structural(place.schema, resource=place.is_root))


def _too_dear(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{what} exceeds budget by factor of {shown} {_ADVICE}"
