"""Expressions over a request: the values of their variables, match conditions, `authorizer`.

Source: `apiserver/pkg/admission/plugin/cel` and `.../webhook/matchconditions`. Neighbours: `engine.cel`, and
`engine.schema.kinds.admissionregistration.expressions`, which compiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.dynamic.requests import request_object
from skerry.engine.api.auth.access import Access, Authorizer
from skerry.engine.api.request import User
from skerry.engine.cel.contract import Budget, CompileError, EvaluationError, Lazy
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.kinds.admissionregistration.expressions import Variables, compiled
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.engine.cel.functions.authorizer import Decision, Question


class ConditionsFailed(Exception):
    """Match conditions that could not be evaluated, none of which said no."""


def values_of(
    attributes: Attributes, kind: Kind, objects: tuple[Obj | None, Obj | None], decide: Authorizer
) -> dict[str, Any]:
    """The variables of an expression: what costs something is worked out when it is read."""
    new, old = objects
    return {
        "object": new,
        "oldObject": old,
        "request": Lazy(lambda: request_object(attributes, kind)),
        "authorizer": Lazy(lambda: _authorizer(attributes.user, decide)),
        "authorizer.requestResource": Lazy(lambda: _request_resource(attributes, decide)),
    }


def conditions_hold(conditions: Iterable[Obj], variables: Variables, values: dict[str, Any], budget: Budget) -> bool:
    """Whether all conditions say yes. One no decides; otherwise an error raises ConditionsFailed."""
    failures = []
    for condition in conditions:
        source = condition["expression"].strip()
        try:
            if compiled(source, variables).evaluate(values, budget) is not True:
                return False
        except (CompileError, EvaluationError) as error:
            failures.append(f"expression '{source}' resulted in error: {error}")
    if failures:
        raise ConditionsFailed(failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]")
    return True


def _authorizer(user: User, decide: Authorizer) -> Any:
    from skerry.engine.cel.functions.authorizer import Authorizer as Value

    return Value(_decider(user, decide))


def _request_resource(attributes: Attributes, decide: Authorizer) -> Any:
    from skerry.engine.cel.functions.authorizer import Question, ResourceCheck

    target = attributes.target
    resource = target.kind.resource
    question = Question(
        group=resource.group,
        resource=resource.plural,
        subresource=target.subresource,
        namespace=target.namespace,
        name=attributes.name,
    )
    return ResourceCheck(_decider(attributes.user, decide), question)


def _decider(user: User, decide: Authorizer) -> Any:
    def answer(question: Question) -> Decision:
        from skerry.engine.cel.functions.authorizer import Decision

        asker = user if question.service_account is None else _service_account(*question.service_account)
        allowed, reason = decide(
            Access(
                question.verb, question.group, question.resource, question.subresource, question.namespace,
                question.path, asker, question.name, "*", question.field_selector,
            )
        )  # fmt: skip
        return Decision(allowed, reason)

    return answer


def _service_account(namespace: str, name: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups)
