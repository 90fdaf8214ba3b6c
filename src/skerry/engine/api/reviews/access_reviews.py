"""SubjectAccessReview and its two relatives: may somebody (may I) do this? (`kubectl auth can-i`).

Source: Kubernetes'
`pkg/registry/authorization/{subjectaccessreview,selfsubjectaccessreview,localsubjectaccessreview}` and its
`util/helpers.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.engine.api.auth.access import Access, path_access
from skerry.engine.api.backend import Backend
from skerry.engine.api.request import Request, User
from skerry.engine.api.response import Computed, Response
from skerry.engine.api.reviews.asking import answered, asked
from skerry.kube.objects import Obj
from skerry.kube.selectors import SelectorError, parse_selector, selector_of


async def review_access(backend: Backend, request: Request) -> Response:
    """May the user named do it?"""
    review = await asked(backend, request)
    spec = review["spec"]
    who = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), spec.get("extra") or {})
    return _answer(backend, review, who)


async def review_own_access(backend: Backend, request: Request) -> Response:
    """May who asks do it?"""
    return _answer(backend, await asked(backend, request), request.who)


def _answer(backend: Backend, review: Obj, who: User) -> Computed:
    access, problems = access_in(review["spec"], who)
    allowed, reason = backend.authority.decide(access)
    status: Obj = {"allowed": allowed}
    if reason:
        status["reason"] = reason
    if problems:
        status["evaluationError"] = "; ".join(problems)
    return answered(review, status)


def access_in(spec: Obj, who: User) -> tuple[Access, list[str]]:
    """The access a review's spec is about, and which of its selectors cannot be understood (they are ignored)."""
    if (path := spec.get("nonResourceAttributes")) is not None:
        return path_access(who, path.get("verb", ""), path.get("path", "")), []
    given = spec["resourceAttributes"]
    verb, group, resource = (given.get(part, "") for part in ("verb", "group", "resource"))
    fields, problems = _fields(given.get("fieldSelector") or {})
    problems += _label_problems(given.get("labelSelector") or {})
    access = Access(verb, group, resource, given.get("subresource", ""), given.get("namespace", ""), "", who)
    name, version = given.get("name", ""), given.get("version", "") or "*"
    return access._replace(name=name, version=version, fields=fields), problems


def _fields(selector: Obj) -> tuple[str, list[str]]:
    """The selector as text; only single values can be said in it."""
    if raw := selector.get("rawSelector"):
        unclear = any("=" not in term for term in raw.split(",") if term)
        return ("", [_ignored("fieldSelector", "")]) if unclear else (raw, [])
    requirements: Sequence[Obj] = selector.get("requirements") or ()
    terms = list(_terms(requirements))
    if len(terms) == len(requirements):
        return ",".join(terms), []
    return ",".join(terms), [_ignored("fieldSelector", "partially " if terms else "")]


def _terms(requirements: Sequence[Obj]) -> Iterator[str]:
    operators = {"In": "=", "NotIn": "!="}
    for requirement in requirements:
        values: Sequence[str] = requirement.get("values") or ()
        if requirement.get("operator") in operators and len(values) == 1:
            yield f"{requirement.get('key', '')}{operators[requirement['operator']]}{values[0]}"


def _label_problems(selector: Obj) -> list[str]:
    """Nobody decides by labels here; that a selector makes no sense is told all the same."""
    good = 0
    try:
        parse_selector(selector.get("rawSelector") or "")
        requirements: Sequence[Obj] = selector.get("requirements") or ()
        for requirement in requirements:
            selector_of({"matchExpressions": [requirement]})
            good += 1
    except SelectorError:
        return [_ignored("labelSelector", "partially " if good else "")]
    return []


def _ignored(selector: str, how_much: str) -> str:
    return f"spec.resourceAttributes.{selector} {how_much}ignored due to parse error"
