"""An access: who wants to do what to what. What authorizers decide, what reviews ask about and what audit rules
match.

`Access` is made of a request (`access_of`) or of a review's spec. A `Decision` of no authorizer is a refusal in
Kubernetes' words (`refusal`). Source: Kubernetes' `apiserver/pkg/authorization/authorizer` (Attributes, Decision) and
`apiserver/pkg/endpoints/handlers/responsewriters/errors.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

from skerry.engine.api.request import Request, User
from skerry.kube.errors import Forbidden
from skerry.kube.errors import forbidden as forbidden_object

_LONGEST_REMEMBERED = 1024


class Access(NamedTuple):
    """A verb on a resource, or on a plain path when `path` is not "". The first six fields say what is remembered."""

    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    path: str
    user: User
    name: str = ""
    version: str = "*"
    fields: str = ""
    """The field selector as text."""

    @property
    def combined(self) -> str:
        """The resource as rules name it: "pods", "pods/log"."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def ordinary(self) -> bool:
        """Whether to remember anything about it: what anybody can make up in a URL may be long."""
        made_up = (self.namespace, self.subresource, self.path, self.name, self.fields)
        return sum(map(len, made_up)) <= _LONGEST_REMEMBERED


class Decision(NamedTuple):
    """Yes, or no opinion; `reason` for the audit log and for reviews, or what stood in the way."""

    allowed: bool
    reason: str = ""


Authorizer: TypeAlias = Callable[[Access], Decision]
NO_OPINION = Decision(allowed=False)


def path_access(user: User, verb: str, path: str) -> Access:
    """An access to a plain path."""
    return Access(verb, "", "", "", "", path or "/", user)


def access_of(request: Request) -> Access:
    """What a request wants, worked out once. A list or watch for one name (`metadata.name=x`) is about that object."""
    access = request.access
    if access is None or access.user is not request.user:
        access = request.access = _access_of(request)
    return access


def _access_of(request: Request) -> Access:
    target = request.target
    if target is None:
        path = request.path
        return path_access(request.who, request.verb, unquote(path) if "%" in path else path)
    resource = target.kind.resource
    name, fields = target.name, ""
    if request.query and request.verb in ("list", "watch"):
        fields = request.query.get("fieldSelector", "")
        name = name or named_by(fields)
    return Access(
        request.verb, resource.group, resource.plural, target.subresource, _namespace(request), "",
        request.who, name, resource.version, fields,
    )  # fmt: skip


def _namespace(request: Request) -> str:
    """The namespace it is in: a namespace itself counts as being in itself, as in Kubernetes' RequestInfo."""
    target = request.what
    if target.kind.resource.plural == "namespaces" and not target.kind.resource.group:
        return target.name
    return target.namespace


def named_by(fields: str) -> str:
    """The only name a field selector lets through, "" if it does not say so."""
    for term in fields.split(",") if "metadata.name" in fields else ():
        field, operator, value = term.partition("=")
        if field == "metadata.name" and operator and value.lstrip("="):
            return value.lstrip("=")
    return ""


def union(*authorizers: Authorizer) -> Authorizer:
    """Yes when one says yes, asked in order; otherwise no, for all their reasons."""

    def decide(access: Access) -> Decision:
        reasons = []
        for authorizer in authorizers:
            decision = authorizer(access)
            if decision.allowed:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return Decision(allowed=False, reason="\n".join(reasons)) if reasons else NO_OPINION

    return decide


def refusal(access: Access, reason: str = "") -> Forbidden:
    """The 403 for an access."""
    why = _escaped(_complaint(access))
    if reason:
        why = f"{why}: {reason}"
    if access.path:
        return Forbidden(f"forbidden: {why}")
    resource = f"{access.resource}.{access.group}" if access.group else access.resource
    return forbidden_object(resource, access.name, why)


def _complaint(access: Access) -> str:
    who = f'User "{access.user.name}" cannot {access.verb}'
    if access.path:
        return f'{who} path "{access.path}"'
    where = f'in the namespace "{access.namespace}"' if access.namespace else "at the cluster scope"
    return f'{who} resource "{access.combined}" in API group "{access.group}" {where}'


def _escaped(text: str) -> str:
    """Without anything a browser could take for HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
