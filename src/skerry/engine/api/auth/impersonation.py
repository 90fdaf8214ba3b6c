"""Acting as somebody else: `Impersonate-User`, `-Group`, `-Uid` and `-Extra-*` (`kubectl --as`), for who may.

Tried in order, as Kubernetes 1.36 does: the constrained modes (KEP-5284), which allow to act as a node, a service
account or another user for certain verbs only, then the verb `impersonate` on each part of the identity. The first
refusal is what the client is told. Source: Kubernetes' `apiserver/pkg/endpoints/filters/impersonation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import unquote

from skerry.engine.api.auth.access import Access, Authorizer, access_of, refusal
from skerry.engine.api.auth.authentication import ANONYMOUS, AUTHENTICATED, MASTERS, UNAUTHENTICATED
from skerry.engine.api.request import Handler, Impersonation, Request, User
from skerry.engine.api.response import Response
from skerry.engine.schema import names
from skerry.kube.errors import BadRequest, Forbidden
from skerry.kube.records import record

_PREFIX, _EXTRA = b"impersonate-", b"impersonate-extra-"
_AUTHENTICATION = "authentication.k8s.io"
_NODE, _ACCOUNT = "system:node:", "system:serviceaccount:"
_NODE_NAME = "authentication.kubernetes.io/node-name"


def impersonating(handler: Handler, authorizer: Authorizer) -> Handler:
    """Let those who may act as somebody else do so. Raises Forbidden for the others, BadRequest without a user name."""

    async def handle(request: Request) -> Response:
        if request.headers and _PREFIX in b" ".join(request.headers):  # every request: names one by one cost more
            impersonate(request, authorizer)
        return await handler(request)

    return handle


def impersonate(request: Request, authorizer: Authorizer) -> None:
    """Replace the user of a request by the one its headers ask for, if any."""
    wanted = _wanted(request.raw_headers)
    if wanted is None:
        return
    access = access_of(request)
    first: Forbidden | None = None
    for mode in _MODES:
        if not mode.applies(wanted, access.user):
            continue
        try:
            acting = mode.check(wanted, access, authorizer)
        except Forbidden as error:
            first = first or error
            continue
        request.impersonation = Impersonation(access.user, mode.constraint)
        request.user = acting
        return
    assert first is not None  # the last mode applies to everybody
    raise first


def _wanted(headers: Sequence[tuple[bytes, bytes]]) -> User | None:
    """The identity as the headers give it; None when they give none."""
    name, uid, groups = "", "", list[str]()
    extra: dict[str, list[str]] = {}
    for header, raw in headers:
        value = raw.decode("utf-8", "replace")  # clients written in Go and Python send names so
        if header == b"impersonate-user":
            name = name or value
        elif header == b"impersonate-uid":
            uid = uid or value
        elif header == b"impersonate-group":
            groups.append(value)
        elif header.startswith(_EXTRA):
            extra.setdefault(unquote(header[len(_EXTRA) :].decode("latin-1").lower()), []).append(value)
    if not name and (uid or groups or extra):
        raise BadRequest("requested an identity to impersonate without impersonating a user name")
    return User(name, tuple(groups), uid, extra) if name else None


Applies: TypeAlias = Callable[[User, User], bool]


@record
class _Mode:
    """One way of being allowed. `name` "" is the old way, by the verb `impersonate`; `applies` (wanted, requestor)."""

    name: str
    applies: Applies

    @property
    def constraint(self) -> str:
        """What the audit log says of it."""
        return f"impersonate:{self.name}" if self.name else ""

    def check(self, wanted: User, access: Access, authorizer: Authorizer) -> User:
        """The user to act as. Raises Forbidden."""
        if self.name:
            _require(authorizer, access._replace(verb=f"impersonate-on:{self.name}:{access.verb}"))
        for part in self._parts(wanted, access.user):
            _require(authorizer, part)
        return _with_groups(wanted, constrained=bool(self.name))

    def _parts(self, wanted: User, requestor: User) -> Iterator[Access]:
        """Every part of the identity as an access to be allowed."""
        verb = self.constraint or "impersonate"
        group = _AUTHENTICATION if self.name else ""
        yield self._of_name(wanted.name, Access(verb, group, "users", "", "", "", requestor, wanted.name))
        if wanted.uid:
            yield Access(verb, _AUTHENTICATION, "uids", "", "", "", requestor, wanted.uid)
        for each in wanted.groups:
            access = Access(verb, group, "groups", "", "", "", requestor, each)
            if self.name and each in ("", MASTERS):
                which = "empty string" if not each else MASTERS
                raise refusal(access, f"impersonating the {which} group is not allowed")
            yield access
        for key, values in wanted.extra.items():
            for value in values:
                yield Access(verb, _AUTHENTICATION, "userextras", key, "", "", requestor, value)

    def _of_name(self, name: str, access: Access) -> Access:
        if account := account_of(name):
            return access._replace(resource="serviceaccounts", namespace=account[0], name=account[1])
        if self.name and (node := _node_of(name)):
            everywhere = self.name == "associated-node"
            return access._replace(resource="nodes", name="*" if everywhere else node)
        return access


def _require(authorizer: Authorizer, access: Access) -> None:
    allowed, reason = authorizer(access)
    if not allowed:
        raise refusal(access, reason)


def _with_groups(wanted: User, *, constrained: bool) -> User:
    """The groups that go with a name, and the one that says whether it is known."""
    groups = list(wanted.groups)
    account = account_of(wanted.name)
    if account and not groups:
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{account[0]}"]
    if constrained and _node_of(wanted.name):
        groups = ["system:nodes"]
    if wanted.name == ANONYMOUS.name:
        groups.append(UNAUTHENTICATED)
    elif UNAUTHENTICATED not in groups:
        groups.append(AUTHENTICATED)
    return replace(wanted, groups=tuple(dict.fromkeys(groups)))


def account_of(name: str) -> tuple[str, str] | None:
    """Namespace and name of the service account a user name stands for."""
    namespace, colon, account = name[len(_ACCOUNT) :].partition(":")
    if not name.startswith(_ACCOUNT) or not colon or names.label(namespace) or names.subdomain(account):
        return None
    return namespace, account


def _node_of(name: str) -> str:
    node = name[len(_NODE) :]
    return node if name.startswith(_NODE) and not names.subdomain(node) else ""


def _only_name(wanted: User) -> bool:
    return not (wanted.uid or wanted.groups or wanted.extra)


def _its_own_node(wanted: User, requestor: User) -> bool:
    """Whether a service account in a pod asks to act as the node its pod is on (its token says which)."""
    node = _node_of(wanted.name)
    extra: Mapping[str, Sequence[str]] = requestor.extra
    return (
        bool(node)
        and _only_name(wanted)
        and account_of(requestor.name) is not None
        and (list(extra.get(_NODE_NAME, ())) == [node])
    )


_MODES = (
    _Mode("associated-node", _its_own_node),
    _Mode("arbitrary-node", lambda wanted, _: _only_name(wanted) and bool(_node_of(wanted.name))),
    _Mode("serviceaccount", lambda wanted, _: _only_name(wanted) and account_of(wanted.name) is not None),
    _Mode("user-info", lambda wanted, _: not _node_of(wanted.name) and account_of(wanted.name) is None),
    _Mode("", lambda _wanted, _requestor: True),
)
