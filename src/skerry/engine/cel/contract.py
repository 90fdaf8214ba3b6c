"""What others use of CEL: types for variables, `compile_expression`, `Program`, and the two errors.

Values are plain JSON values; an object's date-times, durations and numbers are read by their declared type, so a
variable declared with an OpenAPI schema (`Structural`) behaves as Kubernetes' typed ones, and one declared `DYN`
as its untyped ones. The library is loaded by the first call of `compile_expression`. Source of the behaviour:
k8s.io/apiserver `pkg/cel` (environment, library), cel.dev's language definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from skerry.kube.records import record

PER_CALL_LIMIT = 1_000_000
"""Cost one evaluation may have (Kubernetes' `PerCallLimit`)."""
OVERALL_LIMIT = 10_000_000
"""Cost all expressions of one object, policy or webhook list may have together (`RuntimeCELCostBudget`)."""


class CompileError(Exception):
    """An expression that cannot be used; the message has the position and the line, as Kubernetes words it."""


class EvaluationError(Exception):
    """An evaluation that failed: "no such key: x", "no such overload", "divide by zero" ..."""


class CostExceeded(EvaluationError):
    """The evaluation was stopped because it costs too much."""


@record
class CelType:
    """A CEL type by name: "int", "string", "list" of `params[0]`, "map", "optional_type", "kubernetes.Quantity" ..."""

    name: str
    params: tuple[CelType, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.params))})" if self.params else self.name


DYN = CelType("dyn")
BOOL = CelType("bool")
STRING = CelType("string")
AUTHORIZER = CelType("kubernetes.authorization.Authorizer")
RESOURCE_CHECK = CelType("kubernetes.authorization.ResourceCheck")


def list_of(element: CelType) -> CelType:
    """The type of lists."""
    return CelType("list", (element,))


def optional_of(value: CelType | Structural) -> CelType | Structural:
    """The type of optional values (`oldSelf` of a rule with `optionalOldSelf`)."""
    if isinstance(value, Structural):
        return Structural(value.schema, optional=True)
    return CelType("optional_type", (value,))


@record
class Structural:
    """The type of values that meet an OpenAPI v3 structural schema (a CRD's). `resource`: the root of an object, whose
    metadata.name and metadata.generateName are readable whatever the schema says."""

    schema: Mapping[str, Any] = field(hash=False)
    resource: bool = False
    optional: bool = False
    name: str = ""
    """Stands for the schema, when given: compilers for it are kept."""


VariableType = CelType | Structural


@dataclass(slots=True)
class Budget:
    """What may still be spent by several evaluations together."""

    left: int = OVERALL_LIMIT

    def take(self, cost: int) -> None:
        """Spend. Raises CostExceeded when it is used up."""
        self.left -= cost
        if self.left < 0:
            raise CostExceeded(
                "validation failed due to running out of cost budget, no further validation rules will be run"
            )


class Lazy:
    """A variable computed when an expression first reads it, and once (policies' `variables.x`)."""

    __slots__ = ("_compute", "_error", "_value")

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute: Callable[[], Any] | None = compute
        self._value: Any = None
        self._error: EvaluationError | None = None

    def get(self) -> Any:
        """The value. Raises EvaluationError, every time the same."""
        if self._compute is not None:
            compute, self._compute = self._compute, None
            try:
                self._value = compute()
            except EvaluationError as error:
                self._error = error
        if self._error is not None:
            raise self._error
        return self._value


class Program(Protocol):
    """A compiled expression. Immutable, usable at any time and by anybody."""

    @property
    def source(self) -> str:
        """The expression."""
        ...

    @property
    def result(self) -> CelType:
        """The type of what `evaluate` returns; "dyn" when only the values can tell."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """The variables it reads, of those declared."""
        ...

    def evaluate(self, variables: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """The value, given the declared variables (`Lazy` ones too). None is CEL's null. Raises EvaluationError;
        CostExceeded when the evaluation, or the budget, is used up."""
        ...


def compile_expression(source: str, variables: Mapping[str, VariableType], *, constructs: bool = False) -> Program:
    """Compile an expression that may read these variables. Raises CompileError.

    Names may be dotted ("variables.replicas"). `constructs`: it may build objects and patches (`Object{}`,
    `Object.spec{}`, `JSONPatch{}`), as mutating policies do. Costs 0.2 ms, and 2 ms for variables with a new schema."""
    from skerry.engine.cel.compiler import compile_checked
    from skerry.engine.cel.constructors import constructing

    return compile_checked(source, variables, constructing(source) if constructs else None)


def compile_estimated(source: str, variables: Mapping[str, VariableType], of: Structural) -> tuple[Program, int]:
    """The same with the most that one evaluation can cost, where all variables are of one schema. Raises
    CompileError."""
    from skerry.engine.cel.compiler import compile_estimated as compiled

    return compiled(source, variables, of)
