"""What is asked for, however it came: over HTTP (`http.edge`) or in the same process (`local`).

A `Request` names a user, a verb and a target; its body is either unread bytes or an object handed over in-process.
Everything below (authorisation, admission, verbs) sees only this, so both ways in behave alike. Source of the verbs:
Kubernetes' `apiserver/pkg/endpoints/request.RequestInfo`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from skerry.engine.api.response import Response
from skerry.engine.schema.contract import Kind
from skerry.engine.store.contract import Key
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.engine.api.auth.access import Access

NO_QUERY: Mapping[str, str] = MappingProxyType({})
NO_HEADERS: Mapping[bytes, bytes] = MappingProxyType({})
NO_EXTRA: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, as an authenticator says (`auth.authentication`). Source: `apiserver/pkg/authentication/user.Info`."""

    name: str
    groups: tuple[str, ...] = ()
    """In the order they were given; no member twice."""
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=lambda: NO_EXTRA, hash=False)
    """What the authenticator adds, by lower-case key ("authentication.kubernetes.io/pod-name")."""

    def info(self) -> Obj:
        """As `authentication.k8s.io/v1` UserInfo: what is empty is absent."""
        info: Obj = {"username": self.name}
        if self.uid:
            info["uid"] = self.uid
        if self.groups:
            info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra.items()}
        return info


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Behind the user is another one: who asked, and in which constrained way they may ("": the old one)."""

    requestor: User
    constraint: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What part of the API: a collection (name ""), an object, or a subresource. namespace "" means all or none."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def group_resource(self) -> str:
        """The version-free name in error messages: "pods", "deployments.apps"."""
        return self.kind.resource.group_resource

    @property
    def key(self) -> Key:
        """The store's key of the named object."""
        return Key(self.kind.stored_as, self.namespace, self.name)


@dataclass(slots=True)
class Request:
    """One request. `target` None: a plain path such as /version."""

    user: User | None
    """Who the connection (or the in-process client) belongs to; never None once the request is authenticated."""
    verb: str
    """get, list, watch, create, update, patch, delete, deletecollection, connect; on plain paths the HTTP method."""
    target: Target | None
    path: str = ""
    method: str = "GET"
    """The HTTP method, for what is passed on to others."""
    raw_query: bytes = b""
    """As it came: streams read repeated parameters from it."""
    query: Mapping[str, str] = field(default_factory=lambda: NO_QUERY)
    headers: Mapping[bytes, bytes] = field(default_factory=lambda: NO_HEADERS)
    """By lower-case name; of repeated ones the last."""
    raw_headers: Sequence[tuple[bytes, bytes]] = ()
    """All of them, in order."""
    impersonation: Impersonation | None = None
    """Set when `user` is somebody the requestor acts as."""
    source: str = ""
    """The client's address; "" in-process."""
    content_type: str = ""
    read: Callable[[], Awaitable[bytes]] | None = None
    """The body, when it came over HTTP; raises RequestEntityTooLarge."""
    handed: Obj | list[Obj] | None = None
    """The body, when it was handed over in-process: shared, never to be changed."""
    upgrade: str = ""
    """The protocol the client would like to go on with, where that is for others to grant."""
    warnings: list[str] = field(default_factory=list)
    """For the client's eyes (`Warning:` headers)."""
    annotations: dict[str, str] = field(default_factory=dict)
    """For the audit log: what authorisation and admission have to say about this request."""
    leave: Callable[[], None] | None = None
    """To be called once the answer is encoded: others wait for this request's seat (`fairness`)."""
    access: Access | None = field(default=None, init=False)
    """Kept by `auth.access.access_of`."""

    @property
    def who(self) -> User:
        """The user, for code behind authentication."""
        assert self.user is not None
        return self.user

    @property
    def what(self) -> Target:
        """The target, for code that runs for resource requests only."""
        assert self.target is not None
        return self.target


Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
