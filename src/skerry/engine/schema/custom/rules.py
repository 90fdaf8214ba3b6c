"""CEL rules of a schema (`x-kubernetes-validations`) applied to an object, and to the change that made it.

Source: `pkg/apiserver/schema/cel/validation.go` of the apiextensions server. Rules are compiled when first needed and
kept with their node. What a rule without `oldSelf` says of a value that has not changed is not told again (ratcheting).
Neighbours: `engine.cel`, `structural`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from skerry.engine.cel.contract import (
    Budget,
    CompileError,
    CostExceeded,
    EvaluationError,
    Program,
    Structural,
    VariableType,
    compile_expression,
    optional_of,
)
from skerry.engine.cel.values import NONE, Optional
from skerry.engine.schema.custom.complaints import place, shown
from skerry.engine.schema.custom.field_paths import FieldPathError, parse_field_path
from skerry.engine.schema.custom.structural import MISSING, Node
from skerry.engine.schema.custom.uniqueness import key_of
from skerry.engine.schema.custom.validating import same_value
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.records import record

_LONGEST_MESSAGE = 5120
_SPENT = "validation failed due to running out of cost budget, no further validation rules will be run"


@record
class Rule:
    """A compiled rule. `field`: what is added to the path of its complaints."""

    rule: Obj
    program: Program
    message: Program | None
    field: str
    optional_old: bool

    @property
    def is_transition(self) -> bool:
        """Whether it looks at the state before."""
        return "oldSelf" in self.program.names


class _Stop(Exception):
    """No further rule is run."""


_compiled: WeakKeyDictionary[Node, list[Rule | str]] = WeakKeyDictionary()
"""Rules by node; a text is why one does not compile."""


def check_rules(root: Node, value: Any, old: Any = MISSING, path: str = "") -> list[Cause]:
    """What the rules of a schema and all below complain about. `old`: MISSING where there was nothing before; `path`
    "" says that the value is a whole object."""
    causes: list[Cause] = []
    try:
        for cause in _Walk(Budget(), is_resource=path == "").check(root, value, old, path):
            causes.append(cause)  # what came before a stop counts
    except _Stop as stop:
        causes.append(Cause("FieldValueInvalid", f"Invalid value: {stop.args[1]}", place(stop.args[0])))
    return causes


def variables_of(schema: Obj, rule: Obj, *, is_resource: bool) -> dict[str, VariableType]:
    """What a rule of a schema may read."""
    kind = Structural(schema, resource=is_resource)
    return {"self": kind, "oldSelf": optional_of(kind) if rule.get("optionalOldSelf") else kind}


def compile_rule(node: Node, rule: Obj, *, is_resource: bool) -> Rule:
    """Compile one rule. Raises CompileError."""
    assert node.schema is not None
    optional_old = bool(rule.get("optionalOldSelf"))
    variables = variables_of(node.schema, rule, is_resource=is_resource)
    expression = (rule.get("messageExpression") or "").strip()
    message = compile_expression(expression, variables) if expression else None
    try:
        field = parse_field_path(rule.get("fieldPath") or "", node)
    except FieldPathError:
        field = ""
    return Rule(rule, compile_expression(rule["rule"], variables), message, field, optional_old)


class _Walk:
    def __init__(self, budget: Budget, *, is_resource: bool) -> None:
        self._budget = budget
        self._is_resource = is_resource

    def check(self, node: Node | None, value: Any, old: Any, path: str) -> Iterator[Cause]:
        """A node and all below."""
        if node is None or not node.has_rules or value is None:
            return
        for rule in self._rules(node, path) if node.rules else ():
            if isinstance(rule, str):
                detail = f"rule compile error: {rule}"
                yield Cause("FieldValueInvalid", f"Invalid value: {shown(node.type)}: {detail}", place(path))
            else:
                yield from self._check_rule(rule, node, value, old, path)
        if isinstance(value, dict):
            before = old if isinstance(old, dict) else {}
            for key, item in value.items():
                below = f"{path}.{key}" if path else key
                if key not in node.properties:
                    below = f"{path}[{key}]"
                yield from self.check(node.below(key), item, before.get(key, MISSING), below)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.check(node.items, item, _before(node, item, old), f"{path}[{index}]")

    def _rules(self, node: Node, path: str) -> list[Rule | str]:
        rules = _compiled.get(node)
        if rules is None:
            rules = _compiled[node] = []
            for rule in node.rules:
                try:
                    rules.append(compile_rule(node, rule, is_resource=self._is_resource and path == ""))
                except CompileError as error:
                    rules.append(str(error))
        return rules

    def _check_rule(self, rule: Rule, node: Node, value: Any, old: Any, path: str) -> Iterator[Cause]:
        known = old is not MISSING and old is not None
        if rule.is_transition and not known and not rule.optional_old:
            return
        before: Any = (Optional(old) if known else NONE) if rule.optional_old else old if known else None
        variables = {"self": value, "oldSelf": before}
        try:
            holds = rule.program.evaluate(variables, self._budget)
        except CostExceeded as error:
            raise _Stop(path, f"{shown(node.type)}: {_too_dear(error, rule)}") from error
        except EvaluationError as error:
            yield Cause("FieldValueInvalid", f"Invalid value: {shown(node.type)}: {_failure(error, rule)}", place(path))
            return
        if holds is True or (known and not rule.is_transition and same_value(value, old)):
            return
        detail = self._message(rule, variables)
        shown_value = "" if node.type in ("object", "array") else shown(value)
        yield _complaint(rule.rule.get("reason") or "FieldValueInvalid", f"{path}{rule.field}", shown_value, detail)

    def _message(self, rule: Rule, variables: Obj) -> str:
        given: str = rule.rule.get("message") or ""
        default = given.strip() or f"failed rule: {rule.rule['rule'].strip()}"
        if rule.message is None:
            return default
        try:
            made = rule.message.evaluate(variables, self._budget)
        except EvaluationError:
            return default
        text = made.strip() if isinstance(made, str) else ""
        return default if not text or len(text) > _LONGEST_MESSAGE or "\n" in text or "\r" in text else text


def _before(node: Node, item: Any, old: Any) -> Any:
    """What an item of a list was before: only those of type map can be told apart."""
    if node.list_type != "map" or not isinstance(old, list) or not isinstance(item, dict):
        return MISSING
    wanted = key_of(item, node.map_keys)
    return next((each for each in old if isinstance(each, dict) and key_of(each, node.map_keys) == wanted), MISSING)


def _complaint(reason: str, path: str, shown_value: str, detail: str) -> Cause:
    words = {"FieldValueRequired": "Required value", "FieldValueForbidden": "Forbidden"}
    word = words.get(reason)
    if word is None:
        word = "Duplicate value" if reason == "FieldValueDuplicate" else "Invalid value"
        word = f"{word}: {shown_value}" if shown_value else word
    return Cause(reason, f"{word}: {detail}", place(path.removeprefix(".")))


def _failure(error: EvaluationError, rule: Rule) -> str:
    if str(error).startswith("no such overload"):
        why = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{error}': {why}: {_named(rule)}"
    return f"{error} evaluating rule: {_named(rule)}"


def _too_dear(error: CostExceeded, rule: Rule) -> str:
    if "budget" in str(error):
        return _SPENT
    why = "no further validation rules will be run due to call cost exceeds limit for rule"
    return f"'{error}': {why}: {_named(rule)}"


def _named(rule: Rule) -> str:
    return str((rule.rule.get("message") or "").strip() or rule.rule["rule"].strip())
