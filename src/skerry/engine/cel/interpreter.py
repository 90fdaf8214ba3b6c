"""From a checked tree to a Python function: every node becomes a closure over the closures of its children.

Every step is charged to a meter, so that no expression runs away. Neighbours: `compiler` gives the tree, `logic` and
`members` the closures of lazy operators and of fields, `operators` and `functions` the values' behaviour, `coercion`
reads JSON by its declared type. Source: cel.dev's language definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from skerry.engine.cel import checked_pb2 as pb
from skerry.engine.cel.coercion import Coercion, coercion_for
from skerry.engine.cel.contract import EvaluationError, Lazy
from skerry.engine.cel.frames import Failure, Frame, Step
from skerry.engine.cel.functions import FUNCTIONS, METHODS
from skerry.engine.cel.logic import LAZY, absorbed, alternative, boolean
from skerry.engine.cel.members import optional_selection, presence, selection
from skerry.engine.cel.names import unescaped
from skerry.engine.cel.operators import OPERATORS
from skerry.engine.cel.values import TypeValue, Uint, equal, no_overload

_TYPES = frozenset({
    "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type", "optional_type",
    "google.protobuf.Timestamp", "google.protobuf.Duration",
})  # fmt: skip
_MISTAKES = (TypeError, AttributeError, ValueError, OverflowError)
"""What Python raises where an argument is of a type, or has a value, that the function is not for."""


def program_of(checked: pb.Checked, variables: frozenset[str]) -> Step:
    """The function that evaluates a tree whose free variables are these. Raises RecursionError when it is too deep."""
    return _Builder(checked, variables).build(checked.expr)


class _Builder:
    def __init__(self, checked: pb.Checked, variables: frozenset[str]) -> None:
        self._references = checked.reference_map
        self._types = checked.type_map
        self._variables = variables

    def build(self, expr: pb.Expr) -> Step:
        """The closure of one node."""
        kind = expr.WhichOneof("kind")
        if kind is None:
            raise ValueError("an expression of no kind")
        step: Step = getattr(self, f"_{kind}")(expr)
        return step

    def _coercion(self, expr: pb.Expr) -> Coercion | None:
        return coercion_for(self._types[expr.id]) if expr.id in self._types else None

    def _resolved(self, expr: pb.Expr) -> str:
        """The variable or type a name stands for, "" when it is not a name."""
        name = self._references[expr.id].name if expr.id in self._references else ""
        if not name and expr.WhichOneof("kind") == "ident":
            name = expr.ident.name
        return name.removeprefix(".")

    # --- leaves

    def _constant(self, expr: pb.Expr) -> Step:
        kind = expr.constant.WhichOneof("kind")
        value = None if kind is None or kind == "null" else getattr(expr.constant, kind)
        if kind == "uint":
            value = Uint(expr.constant.uint)
        return lambda frame: value

    def _ident(self, expr: pb.Expr) -> Step:
        return self._name(self._resolved(expr), self._coercion(expr))

    def _name(self, name: str, coerce: Coercion | None) -> Step:
        if name in _TYPES and name not in self._variables:
            type_value = TypeValue(name)
            return lambda frame: type_value

        def read(frame: Frame) -> Any:
            frame.meter.charge(1)
            value = frame[name]
            if type(value) is Lazy:
                value = value.get()
            elif type(value) is Failure:
                raise value.error
            return value if coerce is None else coerce(value)

        return read

    # --- members and indices

    def _select(self, expr: pb.Expr) -> Step:
        name = self._resolved(expr)
        if name and not expr.select.test_only:
            return self._name(name, self._coercion(expr))
        operand = self.build(expr.select.operand)
        field, raw = expr.select.field, unescaped(expr.select.field)
        if expr.select.test_only:
            return presence(operand, field, raw)
        return selection(operand, field, raw, self._coercion(expr))

    # --- calls

    def _call(self, expr: pb.Expr) -> Step:
        name = expr.call.function
        special = LAZY.get(name)
        if special is not None:
            return special([self.build(arg) for arg in expr.call.args])
        if name in OPERATORS:
            step = _application(OPERATORS[name], [self.build(arg) for arg in expr.call.args])
            coerce = self._coercion(expr) if name in ("_[_]", "_[?_]") else None
            return step if coerce is None else _coerced(step, coerce)
        if name == "_?._":
            return self._optional_select(expr)
        return self._function(expr)

    def _optional_select(self, expr: pb.Expr) -> Step:
        operand = self.build(expr.call.args[0])
        field = expr.call.args[1].constant.string
        return _coerced(optional_selection(operand, field, unescaped(field)), self._coercion(expr))

    def _function(self, expr: pb.Expr) -> Step:
        call = expr.call
        arguments = [self.build(arg) for arg in call.args]
        if not call.HasField("target"):
            return _application(FUNCTIONS[call.function], arguments)
        namespaced = f"{_dotted(call.target)}.{call.function}"
        if namespaced in FUNCTIONS and call.target.id not in self._types:
            return _application(FUNCTIONS[namespaced], arguments)
        if call.function in ("or", "orValue"):
            return alternative(self.build(call.target), arguments[0], unwrap=call.function == "orValue")
        return _method(call.function, self.build(call.target), arguments)

    # --- aggregates

    def _list(self, expr: pb.Expr) -> Step:
        elements = [self.build(element) for element in expr.list.elements]
        optional = frozenset(expr.list.optional_indices)
        if optional:
            return _optional_list(elements, optional)

        def make(frame: Frame) -> list[Any]:
            frame.meter.charge(10)
            return [element(frame) for element in elements]

        return make

    def _struct(self, expr: pb.Expr) -> Step:
        entries = [self._entry(entry) for entry in expr.struct.entries]

        def make(frame: Frame) -> dict[Any, Any]:
            frame.meter.charge(30)
            made: dict[Any, Any] = {}
            for key, value, optional in entries:
                _put(made, key(frame), value(frame), optional)
            return made

        return make

    def _entry(self, entry: pb.Expr.Struct.Entry) -> tuple[Step, Step, bool]:
        if entry.WhichOneof("key") == "field_key":
            name = unescaped(entry.field_key)
            return (lambda frame: name), self.build(entry.value), entry.optional_entry
        return self.build(entry.map_key), self.build(entry.value), entry.optional_entry

    # --- macros

    def _comprehension(self, expr: pb.Expr) -> Step:
        it = expr.comprehension
        over, start = self.build(it.iter_range), self.build(it.accu_init)
        condition, result = self.build(it.loop_condition), self.build(it.result)
        step = self._appending(it) or self.build(it.loop_step)
        absorbs = it.loop_condition.call.function == "@not_strictly_false"
        accumulator, first, second = it.accu_var, it.iter_var, it.iter_var2

        def run(frame: Frame) -> Any:
            items = _pairs(over(frame)) if second else _items(over(frame))
            scope = frame.nested()
            scope[accumulator] = start(frame)
            for item in items:
                frame.meter.charge(1)
                if second:
                    scope[first], scope[second] = item
                else:
                    scope[first] = item
                if condition(scope) is not True:
                    break
                scope[accumulator] = absorbed(step, scope) if absorbs else step(scope)
            return result(scope)

        return run

    def _appending(self, it: pb.Expr.Comprehension) -> Step | None:
        """The step of `map` and `filter`, changing the list it builds in place: nobody else can see that list."""
        step, condition = it.loop_step, None
        if step.call.function == "_?_:_" and step.call.args[2].ident.name == it.accu_var:
            condition, step = self.build(step.call.args[0]), step.call.args[1]
        if step.call.function != "_+_" or len(step.call.args) != 2:
            return None
        target, added = step.call.args
        if target.ident.name != it.accu_var or len(added.list.elements) != 1 or added.list.optional_indices:
            return None
        if it.accu_init.WhichOneof("kind") != "list":
            return None
        return _append(it.accu_var, condition, self.build(added.list.elements[0]))


def _append(accumulator: str, condition: Step | None, element: Step) -> Step:
    def step(frame: Frame) -> Any:
        made = frame[accumulator]
        if condition is None or boolean(condition(frame)):
            frame.meter.charge(1)
            made.append(element(frame))
        return made

    return step


def _items(container: Any) -> Iterator[Any]:
    if type(container) in (list, dict):
        return iter(container)
    raise no_overload()


def _pairs(container: Any) -> Iterator[tuple[Any, Any]]:
    if type(container) is dict:
        return iter(container.items())
    if type(container) is list:
        return iter(enumerate(container))
    raise no_overload()


def _dotted(expr: pb.Expr) -> str:
    if expr.WhichOneof("kind") == "select":
        return f"{_dotted(expr.select.operand)}.{expr.select.field}"
    return expr.ident.name


def _coerced(step: Step, coerce: Coercion | None) -> Step:
    return step if coerce is None else lambda frame: coerce(step(frame))


def _application(function: Callable[..., Any], arguments: list[Step]) -> Step:
    def apply(frame: Frame) -> Any:
        try:
            result = function(*[argument(frame) for argument in arguments])
        except _MISTAKES as error:
            raise no_overload() from error
        _charge(frame, result)
        return result

    return apply


def _method(name: str, target: Step, arguments: list[Step]) -> Step:
    by_type = METHODS.get(name, {})

    def apply(frame: Frame) -> Any:
        receiver = target(frame)
        function = by_type.get(type(receiver))
        if function is None:
            raise no_overload()
        try:
            result = function(receiver, *[argument(frame) for argument in arguments])
        except _MISTAKES as error:
            raise no_overload() from error
        _charge(frame, result)
        if type(receiver) in (str, list):
            frame.meter.charge(len(receiver) // 10)
        return result

    return apply


def _charge(frame: Frame, result: Any) -> None:
    frame.meter.charge(1 + len(result) // 10 if type(result) in (str, list, bytes) else 1)


def _optional_list(elements: list[Step], optional: frozenset[int]) -> Step:
    def make(frame: Frame) -> list[Any]:
        frame.meter.charge(10)
        made = []
        for at, element in enumerate(elements):
            value = element(frame)
            if at not in optional:
                made.append(value)
            elif value.present:
                made.append(value.value)
        return made

    return make


def _put(made: dict[Any, Any], key: Any, value: Any, optional: bool) -> None:
    if type(key) not in (str, int, bool, Uint):
        raise EvaluationError(f"unsupported key type: {type(key).__name__}")
    if any(equal(key, other) for other in ([key] if key in made else ())):
        raise EvaluationError(f"Failed with repeated key: {key}")
    if not optional:
        made[key] = value
    elif value.present:
        made[key] = value.value
