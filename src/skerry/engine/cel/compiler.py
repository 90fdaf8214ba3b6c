"""From source to `Program`: compile with the library, refuse what Kubernetes refuses beside, build the closures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from google._upb import _message
from google.protobuf import any_pb2

from skerry.engine.cel import checked_pb2 as pb
from skerry.engine.cel.checks import check_literals
from skerry.engine.cel.constructors import Constructing
from skerry.engine.cel.contract import Budget, CelType, CompileError, EvaluationError, Structural, VariableType
from skerry.engine.cel.environment import environment
from skerry.engine.cel.frames import Frame, Meter, Step
from skerry.engine.cel.interpreter import program_of
from skerry.engine.cel.messages import Source
from skerry.engine.cel.values import Optional
from skerry.kube.records import record

_PRIMITIVES = ("", "bool", "int", "uint", "double", "string", "bytes")
_WELL_KNOWN = ("", "any", "timestamp", "duration")
_STATUS = re.compile(r"^[A-Z_]+: (.*?)(?: \[[A-Z_]+\])?$", re.DOTALL)
_LONGEST = 100_000
"""Characters: the library's own limit."""
# protobuf stops reading at 100 nested messages, which 20 nested macros need; the library's parser stops at 32 levels
_message.SetAllowOversizeProtos(True)


@record
class Compiled:
    """A `Program`."""

    source: str
    result: CelType
    names: frozenset[str]
    step: Step

    def evaluate(self, variables: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """See `Program.evaluate`."""
        meter = Meter()
        try:
            value = self.step(Frame(variables.items(), meter))
        except RecursionError:
            raise EvaluationError("expression is nested too deeply") from None
        finally:
            if budget is not None:
                budget.take(meter.spent)
        return value.value if type(value) is Optional and value.present else value


def compile_checked(
    source: str, variables: Mapping[str, VariableType], constructing: Constructing | None = None
) -> Compiled:
    """See `contract.compile_expression`."""
    return _program(source, _checked(source, variables, constructing), variables)


def compile_estimated(source: str, variables: Mapping[str, VariableType], of: Structural) -> tuple[Compiled, int]:
    """See `contract.compile_estimated`."""
    from skerry.engine.cel.estimate import estimate

    checked = _checked(source, variables, None)
    return _program(source, checked, variables), estimate(checked, of)


def _checked(source: str, variables: Mapping[str, VariableType], constructing: Constructing | None) -> pb.Checked:
    """The tree with types. Raises CompileError."""
    text = Source(source)
    files = constructing.files if constructing else ()
    if len(source) > _LONGEST:
        raise CompileError(f"expression is too long: {len(source)} characters, at most {_LONGEST} are allowed")
    try:
        serialized = environment(variables, files).compile(constructing.source if constructing else source)
    except (RuntimeError, ValueError, UnicodeError) as error:
        rewritten = constructing.source if constructing else ""
        raise CompileError(text.reworded(_unwrapped(str(error)), rewritten)) from None
    checked = pb.Checked.FromString(any_pb2.Any.FromString(serialized).value)
    check_literals(checked, text)
    return checked


def _program(source: str, checked: pb.Checked, variables: Mapping[str, VariableType]) -> Compiled:
    try:
        step = program_of(checked, frozenset(variables))
    except RecursionError:
        raise CompileError("expression is nested too deeply") from None
    return Compiled(source, _type(checked.type_map[checked.expr.id]), _names(checked, variables), step)


def _unwrapped(message: str) -> str:
    match = _STATUS.match(message)
    return match[1] if match else message


def _names(checked: pb.Checked, variables: Mapping[str, VariableType]) -> frozenset[str]:
    return frozenset(reference.name for reference in checked.reference_map.values()) & frozenset(variables)


def _type(declared: pb.Type) -> CelType:
    kind = declared.WhichOneof("kind")
    if kind == "primitive":
        return CelType(_PRIMITIVES[declared.primitive])
    if kind == "well_known":
        return CelType(_WELL_KNOWN[declared.well_known])
    if kind == "list_type":
        return CelType("list", (_type(declared.list_type.elem_type),))
    if kind == "map_type":
        return CelType("map", (_type(declared.map_type.key_type), _type(declared.map_type.value_type)))
    if kind == "message_type":
        return CelType(declared.message_type)
    if kind == "abstract_type":
        abstract = declared.abstract_type
        return CelType(abstract.name, tuple(_type(param) for param in abstract.parameter_types))
    return CelType({"null": "null", "type": "type"}.get(kind or "", "dyn"))
