"""What may I do here, and who am I? SelfSubjectRulesReview (`kubectl auth can-i --list`), SelfSubjectReview (`whoami`).

Source: Kubernetes' `pkg/registry/authorization/selfsubjectrulesreview` and `authentication/selfsubjectreview`.
"""

from __future__ import annotations

from skerry.engine.api.auth.node_authorizer import node_of
from skerry.engine.api.backend import Backend
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response
from skerry.engine.api.reviews.asking import answered, asked
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj


async def review_own_rules(backend: Backend, request: Request) -> Response:
    """All rules that apply to who asks in a namespace. Raises BadRequest without one."""
    review = await asked(backend, request)
    namespace = (review.get("spec") or {}).get("namespace")
    if not namespace:
        raise BadRequest("no namespace on request")
    rules, errors = backend.authority.rbac.rules_for(request.who, namespace)
    status: Obj = {
        "resourceRules": [rule.to_json() for rule in rules if rule.resources],
        "nonResourceRules": [rule.to_json() for rule in rules if rule.urls],
        "incomplete": bool(errors),
    }
    if node_of(request.who):
        errors = ["node authorizer does not support user rule resolution", *errors]
        status["incomplete"] = True
    if errors:
        status["evaluationError"] = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
    return answered(review, status)


async def review_self(backend: Backend, request: Request) -> Response:
    """Who asks, as the server sees them."""
    review = await asked(backend, request)
    return answered(review, {"userInfo": request.who.info()})
