"""As whom releases are carried out: an account for each project, with the project's rights and no more.

The account `skerry-releases/<project>` is bound to what editors may do in each namespace of its project (by the
capability `projects`, as it knows them). Namespaces of no project are operators' business: the account
`skerry-releases/namespace.<namespace>` may administer that one namespace. A project's name has no dot.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, is_deleting, labels_of, name_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import NAMESPACES, ROLE_BINDINGS, SERVICE_ACCOUNTS
from skerry.platform.base.capability import Context

HOME = "skerry-releases"
"""The namespace of these accounts."""
PROJECT_LABEL = "skerry.dev/project"
"""On namespaces: whose they are."""
_BY_PROJECT = "by project"
_RBAC = "rbac.authorization.k8s.io"
_BINDING = "skerry-releases"


@record
class Account:
    """Who carries out releases in a namespace."""

    name: str
    namespace: str
    project: str = ""

    @property
    def user(self) -> str:
        """Its user name."""
        return f"system:serviceaccount:{HOME}:{self.name}"


class Accounts:
    """Finds, makes and impersonates them."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._namespaces: Informer = context.informers.of(NAMESPACES)
        self._namespaces.add_index(_BY_PROJECT, lambda one: [_project(one)] if _project(one) else [])
        self._made: dict[Account, str] = {}
        """And the uid of the namespace, which may be deleted and made again."""

    def of(self, namespace: str) -> Account:
        """The account for a namespace."""
        there = self._namespaces.get(namespace)
        project = _project(there) if there is not None else ""
        return Account(project or f"namespace.{namespace}", namespace, project)

    def is_going(self, namespace: str) -> bool:
        """Whether a namespace is deleted, with everything in it, or gone."""
        there = self._namespaces.get(namespace)
        return there is None or is_deleting(there)

    def namespaces_of(self, project: str) -> Sequence[str]:
        """All of a project, by name."""
        return sorted(name_of(one) for one in self._namespaces.by_index(_BY_PROJECT, project)) if project else ()

    def acting(self, account: Account) -> HttpClient:
        """A client with the account's rights."""
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{HOME}", "system:authenticated"]
        return self._client.acting_as(account.user, groups)

    async def token(self, account: Account, seconds: int) -> str:
        """One that ends by itself. Raises StatusError, OSError."""
        asked = {"metadata": {"name": account.name}, "spec": {"expirationSeconds": max(600, seconds)}}
        try:
            answer = await self._client.create(SERVICE_ACCOUNTS, asked, HOME, "token")
        except NotFound:
            self.doubt(account)
            raise
        return str(answer["status"]["token"])

    async def make(self, account: Account) -> None:
        """So that it is there, with its rights; costs nothing when it is known to be. Raises StatusError, OSError."""
        there = self._namespaces.get(account.namespace)
        uid = uid_of(there) if there is not None else ""
        if uid and self._made.get(account) == uid:
            return
        with contextlib.suppress(AlreadyExists):
            await self._client.create(SERVICE_ACCOUNTS, {"metadata": {"name": account.name}}, HOME)
        if not account.project:
            with contextlib.suppress(AlreadyExists):
                await self._client.create(ROLE_BINDINGS, _binding(account), account.namespace)
        self._made[account] = uid

    def doubt(self, account: Account) -> None:
        """It lacks something: what was made for it is looked at again next time."""
        self._made.pop(account, None)


def _project(namespace: Obj) -> str:
    return labels_of(namespace).get(PROJECT_LABEL, "")


def _binding(account: Account) -> Obj:
    return {
        "metadata": {"name": _BINDING},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"kind": "ServiceAccount", "name": account.name, "namespace": HOME}],
    }
