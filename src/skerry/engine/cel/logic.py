"""What CEL evaluates lazily: `&&`, `||`, `?:`, `orValue`. `false && error` is false, either way round.

Running out of budget is never absorbed. Neighbours: `interpreter`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.engine.cel.contract import CostExceeded, EvaluationError
from skerry.engine.cel.frames import Failure, Frame, Step
from skerry.engine.cel.values import Optional, no_overload


def boolean(value: Any) -> bool:
    """The value, which has to be a bool. Raises EvaluationError."""
    if type(value) is not bool:
        raise no_overload()
    return value


def _settled(step: Step, frame: Frame) -> bool | EvaluationError:
    """The boolean, or the error it failed with. Running out of budget is not absorbed."""
    try:
        return boolean(step(frame))
    except CostExceeded:
        raise
    except EvaluationError as error:
        return error


def _logical(steps: list[Step], decisive: bool) -> Step:
    left, right = steps
    other: bool = not decisive

    def evaluate(frame: Frame) -> bool:
        first = _settled(left, frame)
        if first is decisive:
            return decisive
        second = _settled(right, frame)
        if second is decisive:
            return decisive
        for value in (first, second):
            if isinstance(value, EvaluationError):
                raise value
        return other

    return evaluate


def _conditional(steps: list[Step]) -> Step:
    condition, then, otherwise = steps
    return lambda frame: then(frame) if boolean(condition(frame)) else otherwise(frame)


def _not_strictly_false(steps: list[Step]) -> Step:
    value = steps[0]
    return lambda frame: _settled(value, frame) is not False


def alternative(optional: Step, default: Step, unwrap: bool) -> Step:
    """`optional.orValue(default)` and `optional.or(other)`."""

    def evaluate(frame: Frame) -> Any:
        value = optional(frame)
        if type(value) is not Optional:
            raise no_overload()
        if not value.present:
            return default(frame)
        return value.value if unwrap else value

    return evaluate


def absorbed(step: Step, scope: Frame) -> Any:
    """The step's value, or its failure, so that `all` and `exists` go on after an error."""
    try:
        return step(scope)
    except CostExceeded:
        raise
    except EvaluationError as error:
        return Failure(error)


LAZY: dict[str, Callable[[list[Step]], Step]] = {
    "_&&_": lambda steps: _logical(steps, False),
    "_||_": lambda steps: _logical(steps, True),
    "_?_:_": _conditional,
    "@not_strictly_false": _not_strictly_false,
}
