"""What Kubernetes refuses of an expression that type-checks: bad duration, timestamp and regex literals, mixed lists.

Source: k8s.io/apiserver `pkg/cel/environment/base.go` (HomogeneousAggregateLiterals and the AST validators).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from skerry.engine.cel import checked_pb2 as pb
from skerry.engine.cel.contract import CompileError, EvaluationError
from skerry.engine.cel.functions.regex import compiled
from skerry.engine.cel.messages import Source
from skerry.engine.cel.times import parse_duration, parse_timestamp

_LITERALS: dict[str, Callable[[str], Any]] = {
    "duration": parse_duration, "timestamp": parse_timestamp, "matches": compiled,
}  # fmt: skip


def check_literals(checked: pb.Checked, source: Source) -> None:
    """Raise CompileError for the first thing refused."""
    formatted = {argument for expr in _nodes(checked.expr) for argument in _format_arguments(expr)}
    for expr in _nodes(checked.expr):
        reason, at = ("", 0) if expr.id in formatted else _wrong(checked, expr)
        if reason:
            raise CompileError(source.error(checked.source_info.positions.get(at, 0), reason))


def _format_arguments(expr: pb.Expr) -> list[int]:
    """The list `format` is given may be mixed."""
    return [argument.id for argument in expr.call.args] if expr.call.function == "format" else []


def _nodes(expr: pb.Expr) -> Iterator[pb.Expr]:
    """The node and all below it, without recursion: depth is the author's to choose."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(_children(node))))


def _children(expr: pb.Expr) -> Iterator[pb.Expr]:
    kind = expr.WhichOneof("kind")
    if kind == "select":
        yield expr.select.operand
    elif kind == "call":
        if expr.call.HasField("target"):
            yield expr.call.target
        yield from expr.call.args
    elif kind == "list":
        yield from expr.list.elements
    elif kind == "struct":
        for entry in expr.struct.entries:
            if entry.WhichOneof("key") == "map_key":
                yield entry.map_key
            yield entry.value
    elif kind == "comprehension":
        it = expr.comprehension
        yield from (it.iter_range, it.accu_init, it.loop_condition, it.loop_step, it.result)


def _wrong(checked: pb.Checked, expr: pb.Expr) -> tuple[str, int]:
    """The complaint about one node and the id of the node it points at, or ("", 0)."""
    kind = expr.WhichOneof("kind")
    if kind == "call" and expr.call.function in _LITERALS and len(expr.call.args):
        argument = expr.call.args[-1]
        if argument.constant.WhichOneof("kind") == "string":
            return _bad_literal(expr.call.function, argument)
    elif kind == "list":
        return _mixed(checked, list(expr.list.elements))
    elif kind == "struct" and not expr.struct.message_name:
        keys = _mixed(checked, [entry.map_key for entry in expr.struct.entries])
        return keys if keys[0] else _mixed(checked, [entry.value for entry in expr.struct.entries])
    return "", 0


def _bad_literal(function: str, argument: pb.Expr) -> tuple[str, int]:
    try:
        _LITERALS[function](argument.constant.string)
    except EvaluationError:
        return f"invalid {function} argument", argument.id
    return "", 0


def _mixed(checked: pb.Checked, elements: list[pb.Expr]) -> tuple[str, int]:
    first = ""
    for element in elements:
        named = _name(checked.type_map[element.id]) if element.id in checked.type_map else "dyn"
        if "dyn" in named or named == "null":
            continue
        if first and named != first:
            return f"expected type '{first}' but found '{named}'", element.id
        first = first or named
    return "", 0


_PRIMITIVES = ("", "bool", "int", "uint", "double", "string", "bytes")


def _name(declared: pb.Type) -> str:
    kind = declared.WhichOneof("kind")
    if kind == "primitive":
        return _PRIMITIVES[declared.primitive]
    if kind == "list_type":
        return f"list({_name(declared.list_type.elem_type)})"
    if kind == "map_type":
        return f"map({_name(declared.map_type.key_type)}, {_name(declared.map_type.value_type)})"
    if kind == "message_type":
        return declared.message_type
    return {"null": "null", "well_known": f"time{declared.well_known}"}.get(kind or "", "dyn")
