"""What an evaluation carries along: the variables in scope and what it has cost.

Neighbours: `interpreter`, `logic`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from skerry.engine.cel.contract import PER_CALL_LIMIT, CostExceeded, EvaluationError


class Meter:
    """What one evaluation has cost."""

    __slots__ = ("spent",)

    def __init__(self) -> None:
        self.spent = 0

    def charge(self, cost: int) -> None:
        """Add to it. Raises CostExceeded."""
        self.spent += cost
        if self.spent > PER_CALL_LIMIT:
            raise CostExceeded("operation cancelled: actual cost limit exceeded")


class Frame(dict[str, Any]):
    """The variables in scope, and the meter of the evaluation."""

    __slots__ = ("meter",)

    def __init__(self, variables: Iterable[tuple[str, Any]], meter: Meter) -> None:
        super().__init__(variables)
        self.meter = meter

    def nested(self) -> Frame:
        """The scope inside a macro."""
        return Frame(self.items(), self.meter)


class Failure:
    """An error as the value of an accumulator: `all` and `exists` go on after one."""

    __slots__ = ("error",)

    def __init__(self, error: EvaluationError) -> None:
        self.error = error


Step: TypeAlias = Callable[[Frame], Any]
"""A node of the tree as a function."""
