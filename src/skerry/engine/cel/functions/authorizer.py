"""`authorizer`: may the user of the request do something else too? Source: apiserver `pkg/cel/library/authz.go`.

The question is answered by a function the policies hand in; here are the values an expression builds it from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from skerry.engine.cel.values import no_overload
from skerry.kube.records import record


@record
class Question:
    """What is asked for: a path, or a resource. `service_account`: (namespace, name) asked for instead of the user."""

    verb: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    service_account: tuple[str, str] | None = None


@record
class Decision:
    """The answer."""

    CEL_TYPE: ClassVar[str] = "kubernetes.authorization.Decision"
    allowed: bool
    reason: str = ""
    error: str = ""


Decide = Callable[[Question], Decision]


@record
class Authorizer:
    """The variable `authorizer`."""

    CEL_TYPE: ClassVar[str] = "kubernetes.authorization.Authorizer"
    decide: Decide
    question: Question = Question()


@record
class PathCheck:
    """`authorizer.path("/healthz")`."""

    CEL_TYPE: ClassVar[str] = "kubernetes.authorization.PathCheck"
    decide: Decide
    question: Question


@record
class GroupCheck:
    """`authorizer.group("apps")`."""

    CEL_TYPE: ClassVar[str] = "kubernetes.authorization.GroupCheck"
    decide: Decide
    question: Question


@record
class ResourceCheck:
    """`authorizer.group("").resource("pods")`; `authorizer.requestResource` is one too."""

    CEL_TYPE: ClassVar[str] = "kubernetes.authorization.ResourceCheck"
    decide: Decide
    question: Question


Check = PathCheck | GroupCheck | ResourceCheck | Authorizer


def _narrowed(kind: type[Any], field: str) -> Callable[[Check, str], Any]:
    def narrow(check: Check, value: str) -> Any:
        if type(value) is not str:
            raise no_overload()
        changed: dict[str, Any] = {field: value}
        return kind(check.decide, replace(check.question, **changed))

    return narrow


def _ask(check: Check, verb: str) -> Decision:
    if type(verb) is not str:
        raise no_overload()
    return check.decide(replace(check.question, verb=verb))


def _service_account(check: Authorizer, namespace: str, name: str) -> Authorizer:
    return Authorizer(check.decide, replace(check.question, service_account=(namespace, name)))


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    Authorizer: {
        "path": _narrowed(PathCheck, "path"),
        "group": _narrowed(GroupCheck, "group"),
        "serviceAccount": _service_account,
    },
    PathCheck: {"check": _ask},
    GroupCheck: {"resource": _narrowed(ResourceCheck, "resource")},
    ResourceCheck: {
        "subresource": _narrowed(ResourceCheck, "subresource"),
        "namespace": _narrowed(ResourceCheck, "namespace"),
        "name": _narrowed(ResourceCheck, "name"),
        "fieldSelector": _narrowed(ResourceCheck, "field_selector"),
        "labelSelector": _narrowed(ResourceCheck, "label_selector"),
        "check": _ask,
    },
    Decision: {
        "allowed": lambda decision: decision.allowed,
        "reason": lambda decision: decision.reason,
        "errored": lambda decision: bool(decision.error),
        "error": lambda decision: decision.error,
    },
}
