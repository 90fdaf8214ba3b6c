"""Evaluating a policy's expressions for one request and one parameter object.

Variables are lazy: one that nobody reads costs nothing, one that fails fails who reads it. Source:
`apiserver/pkg/admission/plugin/policy/validating/validator.go` and `.../cel/composition.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.dynamic.evaluation import ConditionsFailed, conditions_hold, values_of
from skerry.engine.api.admission.dynamic.matching import Matching
from skerry.engine.api.admission.dynamic.versions import seen
from skerry.engine.api.admission.policies.policy import Policy
from skerry.engine.api.auth.access import Authorizer
from skerry.engine.cel.contract import Budget, CompileError, EvaluationError, Lazy, Program
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.kinds.admissionregistration.expressions import Variables, compiled
from skerry.kube.objects import Obj


class Failed(Exception):
    """An expression that could not be evaluated: "expression '...' resulted in error: ..."."""


class Evaluation:
    """The expressions of one policy, with their values."""

    def __init__(self, policy: Policy, values: dict[str, Any]) -> None:
        self._policy, self._values = policy, values
        self._budget = Budget()
        for name, source, variables in policy.computed:
            values[name] = Lazy(self._variable(source, variables))

    def applies(self) -> bool:
        """Whether the match conditions hold. Raises Failed when they cannot be evaluated."""
        conditions = self._policy.spec.get("matchConditions") or ()
        try:
            return conditions_hold(conditions, self._policy.base, self._values, self._budget)
        except ConditionsFailed as failure:
            raise Failed(str(failure)) from None

    def value(self, source: str, compile: Callable[[str, Variables], Program] = compiled) -> Any:
        """The value of an expression. Raises Failed."""
        try:
            return compile(source, self._policy.variables).evaluate(self._values, self._budget)
        except (CompileError, EvaluationError) as error:
            raise Failed(f"expression '{source.strip()}' resulted in error: {error}") from None

    def _variable(self, source: str, variables: Variables) -> Callable[[], Any]:
        def compute() -> Any:
            try:
                return compiled(source, variables).evaluate(self._values, self._budget)
            except CompileError as error:
                raise EvaluationError(f"composited variable fails to compile: {error}") from None
            except EvaluationError as error:
                raise EvaluationError(f"composited variable fails to evaluate: {error}") from None

        return compute


class Evaluations:
    """Makes evaluations: knows namespaces and who may do what."""

    def __init__(self, look: Matching, decide: Authorizer) -> None:
        self._look, self._decide = look, decide

    async def of(self, policy: Policy, kind: Kind, attributes: Attributes, params: Obj | None) -> Evaluation:
        """One, for a request as version `kind` shows it."""
        values = values_of(attributes, kind, await seen(attributes, kind), self._decide)
        values["params"] = params
        values["namespaceObject"] = Lazy(lambda: self._namespace(attributes))
        return Evaluation(policy, values)

    def _namespace(self, attributes: Attributes) -> Obj | None:
        """A namespace is in none."""
        namespace = attributes.target.namespace
        return self._look.namespace(namespace) if namespace else None
