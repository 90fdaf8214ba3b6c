"""Whether the CEL rules of a schema compile, and make sense where they are. Source: as `schema_rules`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.engine.cel.contract import CompileError
from skerry.engine.schema.causes import invalid
from skerry.engine.schema.custom.rules import compile_rule
from skerry.engine.schema.custom.structural import Node, compile_node
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_RULES = "x-kubernetes-validations"


def has_rules(schema: Any) -> bool:
    """Whether a schema has rules anywhere."""
    return isinstance(schema, dict) and compile_node(schema).has_rules


def check_rules_of(schema: Obj, path: str) -> Iterator[Cause]:
    """What is wrong with the rules of a schema that is fine otherwise."""
    yield from _check_node(compile_node(schema), path, "", is_root=True)


def _check_node(node: Node, path: str, uncorrelated: str, *, is_root: bool = False) -> Iterator[Cause]:
    """`uncorrelated`: the path from which on old values cannot be told to belong to new ones."""
    if not node.has_rules:
        return
    for index, rule in enumerate(node.rules):
        yield from _check_rule(node, rule, f"{path}.{_RULES}[{index}]", uncorrelated, is_root=is_root)
    if node.additional is not None:
        yield from _check_node(node.additional, f"{path}.additionalProperties", uncorrelated)
    apart = uncorrelated or (path if node.map_type == "atomic" else "")
    for name, below in node.properties.items():
        yield from _check_node(below, f"{path}.properties[{name}]", apart)
    if node.items is not None:
        yield from _check_node(node.items, f"{path}.items", uncorrelated or ("" if node.list_type == "map" else path))


def _check_rule(node: Node, rule: Obj, field: str, uncorrelated: str, *, is_root: bool) -> Iterator[Cause]:
    try:
        compiled = compile_rule(node, {**rule, "messageExpression": ""}, is_resource=is_root)
    except CompileError as error:
        yield invalid(f"{field}.rule", rule, f"compilation failed: {error}")
        return
    if compiled.program.result.name != "bool":
        yield invalid(f"{field}.rule", rule, "cel expression must evaluate to a bool")
    if compiled.is_transition and uncorrelated:
        why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {uncorrelated}"
        yield invalid(f"{field}.rule", rule["rule"], why)
    if not compiled.is_transition and rule.get("optionalOldSelf") is not None:
        why = "may not be set if oldSelf is not used in rule"
        yield invalid(f"{field}.optionalOldSelf", rule["optionalOldSelf"], why)
    yield from _check_message(node, rule, field, is_root=is_root)


def _check_message(node: Node, rule: Obj, field: str, *, is_root: bool) -> Iterator[Cause]:
    if not (rule.get("messageExpression") or "").strip():
        return
    try:
        message = compile_rule(node, rule, is_resource=is_root).message
    except CompileError as error:
        yield invalid(f"{field}.messageExpression", rule, f"messageExpression compilation failed: {error}")
        return
    if message is not None and message.result.name != "string":
        yield invalid(f"{field}.messageExpression", rule, "messageExpression must evaluate to a string")
